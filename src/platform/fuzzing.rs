//! What fuzzing calls: the functions that read and change the text of `settings.toml`, as they are. They stay private
//! otherwise, since only this folder may reach for the file.

use super::{settings, settings_edit};
use crate::model::settings::Settings;

/// The settings of a text, or what is wrong with it.
///
/// # Errors
/// One line for a person.
pub fn settings(text: &str) -> Result<Settings, String> {
    settings::parse_whole(text, &|_| None).map(|read| read.settings)
}

/// The text with `trial = false`; `None` where it says no other already, or is no TOML.
pub fn without_trial(text: &str) -> Option<String> {
    settings_edit::without_trial(text).ok().flatten()
}
