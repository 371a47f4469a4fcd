//! A completed invoice of the app that is to carry another number.

use super::bill::NumberSeries;
use super::ids::RecordId;

/// Which invoice, and where the search for a free number begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renumber {
    /// The app's record.
    pub id: RecordId,
    /// The number it is known to carry, trimmed. Where it carries another one by then, that one stays.
    pub from: String,
    /// How the new number is formed: `value` is the highest number that is not free, `suffix` is never empty.
    pub series: NumberSeries,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renumbered {
    /// This is the number that it carries now: given just now, or by an earlier try whose answer was lost.
    Carries(String),
    /// It is no completed invoice of the app any more.
    NotDue,
}
