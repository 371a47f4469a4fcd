//! How the file with the secrets is kept from everybody else: sealed for this PC on Windows, by its mode elsewhere.

use std::io;
use std::path::Path;

/// Makes bytes that only this PC can read.
pub(super) trait Seal: Send + Sync {
    /// What the file is called.
    fn file(&self) -> &'static str;

    /// Seals.
    fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>>;

    /// Opens what was sealed.
    fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>>;

    /// Lets nobody else have the file; called before anything stands in it.
    fn protect(&self, path: &Path) -> io::Result<()>;
}

/// The seal of this system.
pub(super) fn of_this_system() -> Box<dyn Seal> {
    #[cfg(windows)]
    return Box::new(super::windows::MachineSeal);
    #[cfg(not(windows))]
    Box::new(ModeAlone)
}

/// Unix: nobody else may open the file (0600, given when it is made).
#[cfg(not(windows))]
pub(super) struct ModeAlone;

#[cfg(not(windows))]
impl Seal for ModeAlone {
    fn file(&self) -> &'static str {
        "secrets.json"
    }

    fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        Ok(plain.to_vec())
    }

    fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>> {
        Ok(sealed.to_vec())
    }

    fn protect(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The account `NT SERVICE\ShopSyncBilling`, by its name's digest, as Windows makes it: `sc showsid ShopSyncBilling`.
const SERVICE_ACCOUNT: &str = "S-1-5-80-782050000-758338951-1902665229-630808051-311833142";

/// Who may have the file on Windows, in the system's own words (SDDL), and nobody else, whatever the folder says: the
/// system itself and administrators (a service and an installer are one or the other), the service's own account
/// where it has one, and the user who set ShopSync up, whose tray must open it, too.
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "Windows alone asks for it; tests look at it everywhere")
)]
pub(super) fn access_list(user: Option<&str>) -> String {
    let mut list = String::from("D:P(A;;FA;;;SY)(A;;FA;;;BA)");
    for sid in [Some(SERVICE_ACCOUNT), user].into_iter().flatten() {
        let fine = sid.starts_with("S-1-") && sid.chars().all(|c| c == 'S' || c == '-' || c.is_ascii_digit());
        if fine {
            list.push_str(&format!("(A;;FA;;;{sid})"));
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::super::installation::SERVICE;
    use super::*;

    /// The account that Windows makes of a service's name: SHA-1 over the name in capitals, in UTF-16, as five numbers.
    fn account(service: &str) -> String {
        let mut bytes: Vec<u8> = service.to_uppercase().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bits = u64::try_from(bytes.len()).unwrap() * 8;
        bytes.push(0x80);
        while bytes.len() % 64 != 56 {
            bytes.push(0);
        }
        bytes.extend(bits.to_be_bytes());
        let mut state = [0x6745_2301_u32, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
        for block in bytes.chunks_exact(64) {
            let mut words: Vec<u32> =
                block.chunks_exact(4).map(|four| u32::from_be_bytes(four.try_into().unwrap())).collect();
            for at in 16..80 {
                words.push((words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1));
            }
            let [mut a, mut b, mut c, mut d, mut e] = state;
            for (at, word) in words.iter().enumerate() {
                let (mixed, constant) = match at {
                    0..20 => ((b & c) | (!b & d), 0x5A82_7999_u32),
                    20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                    40..60 => ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC),
                    _ => (b ^ c ^ d, 0xCA62_C1D6),
                };
                let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(constant);
                (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next.wrapping_add(*word));
            }
            for (sum, more) in state.iter_mut().zip([a, b, c, d, e]) {
                *sum = sum.wrapping_add(more);
            }
        }
        let numbers = state.map(|number| number.swap_bytes().to_string());
        format!("S-1-5-80-{}", numbers.join("-"))
    }

    #[test]
    fn the_services_account_is_the_one_that_windows_makes_of_its_name() {
        // Known to everybody.
        let known = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
        assert_eq!(account("TrustedInstaller"), known);
        assert_eq!(SERVICE_ACCOUNT, account(SERVICE));
        assert!(access_list(None).contains(&format!("(A;;FA;;;{SERVICE_ACCOUNT})")));
    }

    #[test]
    fn the_list_names_who_may_and_is_closed_to_what_a_folder_says() {
        let list = access_list(Some("S-1-5-21-1-2-3-1001"));
        assert!(list.starts_with("D:P(A;;FA;;;SY)(A;;FA;;;BA)"), "{list}");
        assert!(list.ends_with("(A;;FA;;;S-1-5-21-1-2-3-1001)"), "{list}");
        for everybody in ["WD", "BU", "AU", "S-1-1-0)("] {
            assert!(!access_list(Some(everybody)).contains(everybody));
        }
    }
}
