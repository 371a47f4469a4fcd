//! The state of the whole, in one word.

use serde::{Deserialize, Serialize};

/// What the icon, the page, `/health` and every message show. One function makes it: `sync::health::assess`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Grey, hollow: no proof yet.
    Starting,
    /// Green, tick: proven, nothing pending beyond its time, nothing held.
    InStep,
    /// Blue, arrows: something is on its way.
    Working,
    /// Amber, exclamation mark: late, retrying, or held for a person.
    Attention,
    /// Red, cross: money is not reaching the books.
    Failing,
    /// Grey, two bars: a person paused it.
    Paused,
}

impl HealthState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Starting, Self::InStep, Self::Working, Self::Attention, Self::Failing, Self::Paused];

    /// As published.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::InStep => "in_step",
            Self::Working => "working",
            Self::Attention => "attention",
            Self::Failing => "failing",
            Self::Paused => "paused",
        }
    }
}
