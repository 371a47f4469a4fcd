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

/// Fewer digits than this are no phone number to match people by (RainTek often holds `0`).
const FEWEST_DIGITS: usize = 6;

/// What two spellings of one phone number share: the last ten digits, with spaces, `+91` and a leading 0 dropped.
/// `None` where too few digits are left to match people by.
pub fn phone_key(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let skip = digits.len().saturating_sub(10);
    let last: String = digits.chars().skip(skip).collect();
    (last.len() >= FEWEST_DIGITS).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::phone_key;

    #[test]
    fn spellings_of_one_phone_share_a_key() {
        for spelling in ["9876543210", "+91 98765 43210", "09876543210", "98765-43210", " 91-98765 43210 "] {
            assert_eq!(phone_key(spelling).as_deref(), Some("9876543210"), "{spelling}");
        }
        assert_eq!(phone_key("0422 2345678"), phone_key("4222345678"));
        assert_eq!(phone_key("0"), None);
        assert_eq!(phone_key(""), None);
    }
}
