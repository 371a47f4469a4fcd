//! Takes out of a text what nobody outside the shop needs to see: names, phones, addresses of mail, tax numbers,
//! secrets. What remains still tells what happened, and one name is the same word everywhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Shorter names would be found in the middle of other words.
const SHORTEST_NAME: usize = 3;
/// So many digits in a row, blanks and dashes aside, are a phone.
const PHONE: std::ops::RangeInclusive<usize> = 10..=13;
/// Fields that hold what a person is called, or where they are found.
const PRIVATE: [&str; 12] = [
    "customer",
    "name",
    "phone",
    "address",
    "city",
    "email",
    "gstin",
    "contactno",
    "customername",
    "mobile",
    "shop",
    "user",
];

/// What is masked.
#[derive(Clone, Default)]
pub struct Mask {
    secrets: Vec<String>,
    /// By their first word in lower case: whole names in lower case, the longest first, each with what takes its place.
    names: BTreeMap<String, Vec<(Vec<char>, String)>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").field("names", &self.names.len()).finish_non_exhaustive()
    }
}

impl Mask {
    /// With these secrets and these names of people.
    pub fn new(secrets: impl IntoIterator<Item = String>, names: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets.into_iter().filter(|secret| secret.len() >= 4).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let names: Vec<String> = names.into_iter().collect();
        let names: BTreeSet<String> = names
            .iter()
            .map(|name| name.trim_matches(|c: char| !c.is_alphanumeric()))
            .map(|name| name.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect())
            .filter(|name: &String| name.chars().count() >= SHORTEST_NAME && name != "cash")
            .collect();
        let mut by_word: BTreeMap<String, Vec<(Vec<char>, String)>> = BTreeMap::new();
        for (at, name) in names.into_iter().enumerate() {
            let word: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
            by_word.entry(word).or_default().push((name.chars().collect(), format!("(customer {})", at + 1)));
        }
        for names in by_word.values_mut() {
            names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        }
        Self { secrets, names: by_word }
    }

    /// A text without any of it.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "(secret)");
        }
        text = self.without_names(&text);
        patterns(&together(&text))
    }

    /// JSON without any of it: its texts, and whole fields that are there to hold it.
    pub fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(all) => all.iter().map(|value| self.json(value)).collect(),
            Value::Object(all) => Value::Object(
                all.iter()
                    .map(|(key, value)| {
                        let private = PRIVATE.iter().any(|name| key.eq_ignore_ascii_case(name));
                        let masked = match value {
                            Value::String(text) if private && !text.is_empty() => self.private(text).into(),
                            value => self.json(value),
                        };
                        (key.clone(), masked)
                    })
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// A line of a log: JSON where it is some.
    pub fn line(&self, line: &str) -> String {
        match serde_json::from_str::<BTreeMap<String, Value>>(line) {
            Ok(fields) => {
                let fields = Value::Object(fields.into_iter().collect());
                self.json(&fields).to_string()
            }
            Err(_) => self.text(line),
        }
    }

    /// Names, where they stand as words of their own, in whatever case.
    fn without_names(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let lower: Vec<char> = letters.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
        let mut made = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(letter) = letters.get(at) {
            if !letter.is_alphanumeric() {
                made.push(*letter);
                at += 1;
                continue;
            }
            let rest = lower.get(at..).unwrap_or_default();
            let length = rest.iter().take_while(|c| c.is_alphanumeric()).count();
            let word: String = rest.iter().take(length).collect();
            let stands = |name: &&(Vec<char>, String)| {
                let (name, _) = name;
                rest.starts_with(name) && rest.get(name.len()).is_none_or(|c| !c.is_alphanumeric())
            };
            match self.names.get(&word).and_then(|names| names.iter().find(stands)) {
                Some((name, instead)) => {
                    made.push_str(instead);
                    at += name.len();
                }
                None => {
                    made.extend(letters.iter().skip(at).take(length));
                    at += length;
                }
            }
        }
        made
    }

    fn private(&self, text: &str) -> String {
        let masked = self.text(text);
        if masked == text { "(masked)".to_owned() } else { masked }
    }
}

/// Phones that are written as two halves, made one word.
fn together(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let digits =
        |from: usize, to: usize| (from..to).all(|at| letters.get(at).is_some_and(char::is_ascii_digit));
    let digit = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(char::is_ascii_digit);
    let mut made = String::with_capacity(text.len());
    for (at, letter) in letters.iter().enumerate() {
        let halves = *letter == ' '
            && at >= 5
            && digits(at - 5, at)
            && digits(at + 1, at + 6)
            && !digit(at.checked_sub(6))
            && !digit(Some(at + 6));
        if !halves {
            made.push(*letter);
        }
    }
    made
}

/// Phones, addresses of mail, and GSTINs, whoever they belong to.
fn patterns(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().chain(['\0']) {
        // What belongs to a phone, an address or a number, and to nothing that separates them.
        if letter.is_alphanumeric() || matches!(letter, '+' | '@' | '.' | '_' | '-') {
            word.push(letter);
            continue;
        }
        made.push_str(&masked(&word));
        word.clear();
        if letter != '\0' {
            made.push(letter);
        }
    }
    made
}

fn masked(word: &str) -> String {
    if is_mail(word) {
        return "(mail)".to_owned();
    }
    if is_gstin(word) {
        return "(gstin)".to_owned();
    }
    let digits: Vec<char> = word.chars().filter(char::is_ascii_digit).collect();
    let phone = word.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-'))
        && PHONE.contains(&digits.len())
        && !is_date(word);
    if phone {
        let last: String = digits.iter().skip(digits.len() - 2).collect();
        return format!("(phone ..{last})");
    }
    word.to_owned()
}

fn is_mail(word: &str) -> bool {
    word.trim_matches('.').split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
}

fn is_gstin(word: &str) -> bool {
    word.len() == 15
        && word.chars().enumerate().all(|(at, c)| match at {
            0 | 1 | 7..=10 => c.is_ascii_digit(),
            2..=6 | 11 => c.is_ascii_alphabetic(),
            _ => c.is_ascii_alphanumeric(),
        })
}

/// `2026-11-25`, also with what follows it in a name of a file.
fn is_date(word: &str) -> bool {
    word.split('-').map(str::len).collect::<Vec<_>>().starts_with(&[4, 2, 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn mask() -> Mask {
        Mask::new(["hunter2-token".to_owned()], ["Asha".to_owned(), "Asha Rao".to_owned(), "Om".to_owned()])
    }

    #[test]
    fn names_phones_and_secrets_go_and_the_rest_stays() {
        let text = "GST-0042-2026/27 for asha rao (98765 43210, +919876543210): Ashaya paid Rs 1,234.50 on 2026-11-25. \
                    Asha's mail a.b@shop.in, GSTIN 36AABCU9603R1ZM, key hunter2-token.";
        assert_eq!(
            mask().text(text),
            "GST-0042-2026/27 for (customer 2) ((phone ..10), (phone ..10)): Ashaya paid Rs 1,234.50 on 2026-11-25. \
             (customer 1)'s mail (mail), GSTIN (gstin), key (secret)."
        );
    }

    #[test]
    fn fields_that_hold_people_are_masked_whoever_they_are() {
        let masked = mask().json(&json!({
            "items": [{"number": "GST-0042", "customer": "Somebody New", "sentence": "for Asha"}],
            "name": "", "counts": {"waiting": 3}, "phone": "12",
        }));
        assert_eq!(
            masked,
            json!({
                "items": [{"number": "GST-0042", "customer": "(masked)", "sentence": "for (customer 1)"}],
                "name": "", "counts": {"waiting": 3}, "phone": "(masked)",
            })
        );
        let line = mask().line("{\"level\":\"WARN\",\"detail\":\"key (9876543210)\",\"customer\":\"X Y\"}");
        assert_eq!(line, "{\"customer\":\"(masked)\",\"detail\":\"key ((phone ..10))\",\"level\":\"WARN\"}");
        assert_eq!(mask().line("plain 9876543210"), "plain (phone ..10)");
    }

    #[test]
    fn what_a_mask_knows_is_not_told_by_printing_it() {
        let printed = format!("{:?}", mask());
        assert!(printed.starts_with("Mask") && printed.contains('1'), "{printed}");
        assert!(!printed.to_lowercase().contains("asha") && !printed.contains("hunter2"), "{printed}");
    }

    #[test]
    fn what_only_looks_like_a_person_stays_so_that_a_log_can_be_read() {
        for text in [
            "amounts 12345 today",
            "bill 12345 678901",
            "login sa@SHOP-PC refused, pipe @sql.query",
            "an acknowledgement of record 360000000000001",
            "backup of 2026-11-25-0930",
        ] {
            assert_eq!(mask().text(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_secret_survives_wherever_it_stands(before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let masked = mask().text(&format!("{before}hunter2-token{after}"));
            prop_assert!(!masked.contains("hunter2-token"));
        }

        #[test]
        fn a_phone_never_survives_between_blanks(phone in "[6-9][0-9]{9}") {
            let masked = mask().text(&format!("call {phone} now"));
            prop_assert!(!masked.contains(&phone));
        }
    }
}
