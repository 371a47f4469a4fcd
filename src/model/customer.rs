//! A customer as the app knows one.

use serde::{Deserialize, Serialize};

use super::ids::{CustomerId, RecordId};

/// A record of the app's `customers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The app's record.
    pub id: Option<RecordId>,
    /// As typed; may be empty.
    pub name: String,
    /// As typed; see [`phone_key`].
    pub phone: String,
    /// As typed.
    pub address: String,
    /// As typed.
    pub city: String,
    /// As typed; RainTek compares it with the company's to choose IGST.
    pub state: String,
    /// As typed.
    pub gstin: String,
    /// `Customer.ID` of RainTek, once stamped back.
    pub pos_id: Option<CustomerId>,
}

/// What two spellings of one phone number share: the last ten digits, with spaces, `+91` and a leading 0 dropped.
/// `None` where there are fewer than ten digits: too little to match people by.
pub fn phone_key(phone: &str) -> Option<String> {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let start = digits.len().checked_sub(10)?;
    digits.get(start..).map(|last| last.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::phone_key;

    #[test]
    fn spellings_of_one_phone_share_a_key() {
        for spelling in ["9876543210", "+91 98765 43210", "09876543210", "98765-43210", " 91-98765 43210 "] {
            assert_eq!(phone_key(spelling).as_deref(), Some("9876543210"), "{spelling}");
        }
        assert_eq!(phone_key("12345"), None);
        assert_eq!(phone_key(""), None);
    }
}
