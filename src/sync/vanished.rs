//! Invoices that stand in RainTek and are no longer in the app.
//!
//! A power cut can take PocketBase's last acknowledged writes, and a backup that was put back takes more. That is told
//! invoice by invoice, so that a person decides about each; unless it is so much that it must be another database.

/// So few may go at once, whatever they are of all.
const FEW: usize = 20;

/// What is made of invoices that the app does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All are there.
    None,
    /// Each is looked at by itself.
    LookAtEach,
    /// Another database, or one that was emptied: nothing is done about any, and a person is told.
    AnotherDatabase,
}

/// Judges, of so many that stand in RainTek, so many that the app does not have.
pub fn judge(known: usize, missing: usize) -> Verdict {
    match missing {
        0 => Verdict::None,
        _ if missing > FEW && missing * 2 > known => Verdict::AnotherDatabase,
        _ => Verdict::LookAtEach,
    }
}

/// What is said where it must be another database.
pub fn another_database(known: usize, missing: usize) -> String {
    format!(
        "The billing app no longer has {missing} of the {known} invoices that ShopSync booked in RainTek: it seems to run \
         on another or an older database. Nothing was changed. Call whoever supports the shop."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_second_is_told_invoice_by_invoice_and_a_lost_database_as_one() {
        let table = [
            (0, 0, Verdict::None),
            (500, 0, Verdict::None),
            (1, 1, Verdict::LookAtEach),
            (20, 20, Verdict::LookAtEach),
            (500, 21, Verdict::LookAtEach),
            (500, 250, Verdict::LookAtEach),
            (500, 251, Verdict::AnotherDatabase),
            (21, 21, Verdict::AnotherDatabase),
        ];
        for (known, missing, verdict) in table {
            assert_eq!(judge(known, missing), verdict, "{missing} of {known}");
        }
    }

    #[test]
    fn another_database_is_told_with_both_numbers_and_that_nothing_was_done() {
        let sentence = another_database(500, 251);
        assert!(sentence.contains("no longer has 251 of the 500 invoices"), "{sentence}");
        assert!(sentence.contains("Nothing was changed."), "{sentence}");
    }
}
