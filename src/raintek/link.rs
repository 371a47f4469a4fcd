//! The target of a Windows shortcut (`.lnk`), as far as its own header tells it: a path on a disk of this PC.

/// The header's length, and the class of every shortcut.
const HEADER: u32 = 0x4C;
const CLASS: [u8; 16] = [1, 0x14, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];
/// What is in the file.
const HAS_IDS: u32 = 1;
const HAS_PLACE: u32 = 2;

/// The path that it opens; `None` where it is no shortcut, or opens no file.
pub(super) fn target(bytes: &[u8]) -> Option<String> {
    if number(bytes, 0)? != HEADER || bytes.get(4..20)? != CLASS {
        return None;
    }
    let flags = number(bytes, 20)?;
    let mut at = usize::try_from(HEADER).ok()?;
    if flags & HAS_IDS != 0 {
        let length = bytes.get(at..at + 2)?;
        at += 2 + usize::from(u16::from_le_bytes(length.try_into().ok()?));
    }
    if flags & HAS_PLACE == 0 {
        return None;
    }
    let place = bytes.get(at..)?;
    // A longer header has the path in UTF-16, too.
    let header = number(place, 4)?;
    if header >= 0x24
        && let Some(path) = usize::try_from(number(place, 28)?).ok().filter(|at| *at != 0)
    {
        return wide(place.get(path..)?);
    }
    // On a disk of this PC, and not of another's.
    if number(place, 8)? & 1 == 0 {
        return None;
    }
    let path = place.get(usize::try_from(number(place, 16)?).ok()?..)?;
    let end = path.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(path.get(..end)?).into_owned()).filter(|path| !path.is_empty())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn wide(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    Some(String::from_utf16_lossy(&units)).filter(|path| !path.is_empty())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A shortcut, as Windows writes one that opens a file of a disk.
    pub(in crate::raintek) fn shortcut(path: &str) -> Vec<u8> {
        let mut bytes = HEADER.to_le_bytes().to_vec();
        bytes.extend(CLASS);
        bytes.extend((HAS_IDS | HAS_PLACE).to_le_bytes());
        bytes.resize(0x4C, 0);
        bytes.extend([4, 0, 0xAA, 0xBB, 0, 0]);
        let mut place = vec![0; 0x1C];
        place[4..8].copy_from_slice(&0x1C_u32.to_le_bytes());
        place[8..12].copy_from_slice(&1_u32.to_le_bytes());
        place[16..20].copy_from_slice(&0x1C_u32.to_le_bytes());
        place.extend(path.as_bytes());
        place.push(0);
        let length = u32::try_from(place.len()).unwrap();
        place[0..4].copy_from_slice(&length.to_le_bytes());
        bytes.extend(place);
        bytes
    }

    #[test]
    fn what_a_shortcut_opens_is_read() {
        assert_eq!(target(&shortcut(r"C:\RainTek\RainTek.exe")).as_deref(), Some(r"C:\RainTek\RainTek.exe"));
        let whole = shortcut(r"D:\Till\Till.exe");
        for length in 0..whole.len() {
            // A file that is cut off is none, and never more than none.
            let _ = target(&whole[..length]);
        }
        assert_eq!(target(b"[InternetShortcut]\r\nURL=https://example.in"), None);
        let mut elsewhere = whole;
        elsewhere[0x4C + 6 + 8] = 2;
        assert_eq!(target(&elsewhere), None, "on another PC");
    }
}
