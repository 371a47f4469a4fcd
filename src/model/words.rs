//! Words of others within sentences of ours.

/// A text as one line of at most so many characters: no line breaks, nothing that turns the direction of writing or cannot
/// be seen. What joins letters (many scripts of India need it) stays.
pub fn one_line(text: &str, longest: usize) -> String {
    let dropped = |c: char| matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
    let space = |c: char| c.is_control() || c.is_whitespace() || dropped(c);
    if !text.chars().any(|c| c != ' ' && space(c)) && text.chars().nth(longest).is_none() {
        return text.to_owned();
    }
    let words: Vec<&str> = text.split(space).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().nth(longest).is_none() {
        return line;
    }
    line.chars().take(longest.saturating_sub(1)).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_name_stays_one_harmless_line() {
        assert_eq!(one_line("Asha\r\nSync stopped.\u{202E}\u{0}x", 60), "Asha Sync stopped. x");
        assert_eq!(one_line("Blue  pen", 60), "Blue  pen", "what is harmless stays as it is");
        assert_eq!(one_line("\u{d15}\u{d4d}\u{200d}", 60), "\u{d15}\u{d4d}\u{200d}");
        assert_eq!(one_line(&"\u{1F600}".repeat(500), 60).chars().count(), 60);
        assert_eq!(one_line("\n\n", 5), "");
    }
}
