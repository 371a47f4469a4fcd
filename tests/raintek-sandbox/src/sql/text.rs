//! Texts as SQL Server compares, matches, cuts and encodes them.

use std::cmp::Ordering;

/// Compares as a case-insensitive, accent-sensitive collation does: case and trailing spaces do not count.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_end_matches(' '), right.trim_end_matches(' '));
    if left.is_ascii() && right.is_ascii() {
        return left
            .bytes()
            .map(|b| b.to_ascii_lowercase())
            .cmp(right.bytes().map(|b| b.to_ascii_lowercase()));
    }
    left.chars().flat_map(char::to_lowercase).cmp(right.chars().flat_map(char::to_lowercase))
}

/// How wide a text is: in UTF-16 units, the way `nvarchar(n)` counts.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The first `units` UTF-16 units; half of a surrogate pair is left out rather than sent broken.
pub(crate) fn cut(text: &str, units: usize) -> &str {
    let mut seen = 0;
    for (at, letter) in text.char_indices() {
        seen += letter.len_utf16();
        if seen > units {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// Fills up with spaces to `units`.
pub(crate) fn pad(text: &str, units: usize) -> String {
    let missing = units.saturating_sub(width(text));
    let mut padded = String::with_capacity(text.len() + missing);
    padded.push_str(text);
    padded.extend(std::iter::repeat_n(' ', missing));
    padded
}

/// `LIKE`: `%`, `_`, `[a-c]`, `[^x]` and an escape letter, without regard to case.
pub(crate) fn like(pattern: &str, text: &str, escape: Option<char>) -> bool {
    let fold = |s: &str| s.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let pattern = parse_pattern(&fold(pattern), escape);
    matches(&pattern, &fold(text))
}

enum Piece {
    Any,
    One,
    Letter(char),
    Set { negated: bool, ranges: Vec<(char, char)> },
}

fn parse_pattern(pattern: &[char], escape: Option<char>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut letters = pattern.iter().copied().peekable();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            _ if Some(letter) == escape => match letters.next() {
                Some(next) => Piece::Letter(next),
                None => Piece::Letter(letter),
            },
            '%' => Piece::Any,
            '_' => Piece::One,
            '[' => {
                let negated = letters.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while let Some(from) = letters.next_if(|&next| next != ']') {
                    if letters.next_if_eq(&'-').is_some() {
                        match letters.next_if(|&next| next != ']') {
                            Some(to) => ranges.push((from, to)),
                            None => ranges.extend([(from, from), ('-', '-')]),
                        }
                    } else {
                        ranges.push((from, from));
                    }
                }
                letters.next();
                Piece::Set { negated, ranges }
            }
            _ => Piece::Letter(letter),
        });
    }
    pieces
}

fn matches(pattern: &[Piece], text: &[char]) -> bool {
    let Some((piece, rest)) = pattern.split_first() else { return text.is_empty() };
    if matches!(piece, Piece::Any) {
        return (0..=text.len()).any(|skip| matches(rest, text.get(skip..).unwrap_or_default()));
    }
    let Some((&letter, text)) = text.split_first() else { return false };
    let hit = match piece {
        Piece::Any | Piece::One => true,
        Piece::Letter(wanted) => *wanted == letter,
        Piece::Set { negated, ranges } => {
            ranges.iter().any(|&(from, to)| (from..=to).contains(&letter)) != *negated
        }
    };
    hit && matches(rest, text)
}

/// Code page 1252, 0x80 to 0x9F; the rest is Latin-1. The five unused places read as themselves.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A text in code page 1252; what it lacks becomes a question mark, as in SQL Server.
pub(crate) fn to_1252(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| {
            if let Some(at) = HIGH.iter().position(|&high| high == letter) {
                return u8::try_from(at + 0x80).unwrap_or(b'?');
            }
            match u8::try_from(u32::from(letter)) {
                Ok(byte) if !(0x80..0xA0).contains(&byte) => byte,
                _ => b'?',
            }
        })
        .collect()
}

/// Reads bytes of code page 1252.
pub(crate) fn from_1252(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            0x80..0xA0 => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('?'),
            _ => char::from(byte),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_trailing_spaces_do_not_count_but_accents_do() {
        assert_eq!(compare("Cash      ", "CASH"), Ordering::Equal);
        assert_eq!(compare("Ärmel", "ärmel "), Ordering::Equal);
        assert_ne!(compare("resume", "résumé"), Ordering::Equal);
        assert_ne!(compare(" Cash", "Cash"), Ordering::Equal);
        assert_eq!(compare("a", "B"), Ordering::Less);
    }

    #[test]
    fn like_knows_its_four_signs() {
        assert!(like("GST-%", "gst-0001-2025/26", None));
        assert!(like("%98_5%", "+91 98453 00000", None));
        assert!(like("[a-c]x", "Bx", None));
        assert!(!like("[^a-c]x", "bx", None));
        assert!(like("100!%", "100%", Some('!')));
        assert!(!like("abc", "abc ", None));
    }

    #[test]
    fn widths_are_utf16_units() {
        assert_eq!(width("🙂a"), 3);
        assert_eq!(cut("a🙂b", 2), "a");
        assert_eq!(pad("🙂", 4), "🙂  ");
    }

    #[test]
    fn code_page_1252_goes_both_ways() {
        assert_eq!(to_1252("€ é ₹"), [0x80, b' ', 0xE9, b' ', b'?']);
        assert_eq!(from_1252(&[0x80, 0xE9]), "€é");
    }
}
