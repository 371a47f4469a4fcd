//! Whether the entry that starts ShopSync at login is written, removed, or left as it is.

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Write the entry, also where it stands: the program may have moved.
    Write,
    /// Remove it.
    Remove,
    /// Leave all as it is.
    Leave,
}

/// `wanted` is the setting, `remembered` the setting as it was carried out last, `is_on` what the system says.
///
/// A person who switches it off in the system's own list (Task Manager's start-up tab) has the last word until the
/// setting itself changes.
pub fn plan_autostart(wanted: bool, remembered: Option<bool>, is_on: bool) -> Step {
    match (wanted, remembered == Some(wanted), is_on) {
        (true, false, _) | (true, true, true) => Step::Write,
        (false, false, true) => Step::Remove,
        (true, true, false) | (false, _, _) => Step::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case() {
        let table = [
            // The first start.
            (true, None, false, Step::Write),
            (true, None, true, Step::Write),
            // Every later one: the path is kept true, and who switched it off elsewhere is heard.
            (true, Some(true), true, Step::Write),
            (true, Some(true), false, Step::Leave),
            // The setting was switched off, then on again.
            (false, Some(true), true, Step::Remove),
            (false, Some(true), false, Step::Leave),
            (true, Some(false), false, Step::Write),
            // Off from the first start on; an entry that an earlier data folder left goes once.
            (false, None, false, Step::Leave),
            (false, None, true, Step::Remove),
            // Who switches it on elsewhere is heard as well.
            (false, Some(false), true, Step::Leave),
            (false, Some(false), false, Step::Leave),
        ];
        for (wanted, remembered, is_on, step) in table {
            assert_eq!(plan_autostart(wanted, remembered, is_on), step, "{wanted} {remembered:?} {is_on}");
        }
    }
}
