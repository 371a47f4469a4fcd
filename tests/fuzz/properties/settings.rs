//! `settings.toml`: what is accepted is kept as it was meant, can be written and read again, and cannot take the program's
//! clocks beyond what they hold.

use shopsync::model::settings::Settings;
use shopsync::platform::fuzzing::{settings, without_trial};

/// A week: nothing that comes around takes longer.
const LONGEST: u64 = 7 * 24 * 3600;

/// Any bytes: the file's text.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = match settings(text) {
        Ok(read) => read,
        Err(why) => return super::assert_for_people(&why),
    };
    let written = toml::to_string(&read).unwrap();
    assert_eq!(settings(&written).as_ref(), Ok(&read), "written and read again:\n{written}");
    for seconds in [
        read.products.every_seconds,
        read.push.look_every_seconds,
        read.awareness.every_seconds,
        read.alerts.gap_seconds.into(),
        read.alerts.heartbeat_seconds.into(),
        read.alerts.lost_after_seconds.into(),
    ] {
        assert!(seconds <= LONGEST, "{seconds} s");
    }
    assert!(!read.raintek.database.trim().is_empty());

    // Leaving the trial changes that one word.
    match without_trial(text) {
        Some(changed) => {
            assert!(read.trial, "there was nothing to change");
            let after = settings(&changed).unwrap();
            assert_eq!(after, Settings { trial: false, ..read });
            assert_eq!(without_trial(&changed), None, "a second time");
            assert_eq!(text.lines().count(), changed.lines().count(), "the rest stays as a person wrote it");
        }
        None => assert!(!read.trial, "it stays a trial:\n{text}"),
    }
}
