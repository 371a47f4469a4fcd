//! What a trial, watching only and going live make of the state and its sentence.

use super::health::Verdict;
use crate::model::health::HealthState;
use crate::model::trial::GoLiveWork;

/// At the top of the page while nothing is written.
const WATCHING: &str = "ShopSync only watches: nothing is written into RainTek.";
/// At the top of the page during a trial.
const TRIAL: &str = "This is a trial. What is billed now is test data: \"shopsync go-live\" takes it out of RainTek and \
                     the billing app again.";
/// The same where the settings no longer say so.
const TRIAL_GOES_ON: &str = "This is still a trial, though the settings no longer say so: only \"shopsync go-live\" \
                             ends it.";

/// In which way ShopSync works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode<'a> {
    /// A trial runs.
    pub trial: bool,
    /// The settings say so.
    pub trial_is_set: bool,
    /// Nothing is written into RainTek.
    pub watch_only: bool,
    /// How many invoices would be sent.
    pub waiting: u64,
    /// Going live is under way.
    pub going_live: Option<&'a GoLiveWork>,
}

/// The state as it is in this mode: watching only is never green, and going live is work, unless something is worse.
pub fn in_mode(verdict: Verdict, mode: Mode<'_>) -> Verdict {
    if let Some(work) = mode.going_live {
        return going_live(verdict, work);
    }
    if !mode.watch_only {
        return verdict;
    }
    match verdict.state {
        HealthState::Failing | HealthState::Attention | HealthState::Starting => {
            Verdict { sentence: format!("{WATCHING} {}", verdict.sentence), ..verdict }
        }
        HealthState::InStep | HealthState::Working | HealthState::Paused => {
            let sentence = match mode.waiting {
                0 => WATCHING.to_owned(),
                1 => format!("{WATCHING} 1 invoice would be sent."),
                n => format!("{WATCHING} {n} invoices would be sent."),
            };
            Verdict { state: HealthState::Paused, sentence }
        }
    }
}

fn going_live(verdict: Verdict, work: &GoLiveWork) -> Verdict {
    if verdict.state == HealthState::Failing {
        return Verdict { sentence: format!("Going live waits. {}", verdict.sentence), ..verdict };
    }
    if let Some(sentence) = &work.sentence {
        return Verdict {
            state: HealthState::Attention,
            sentence: format!("Going live waits and is tried again by itself. {sentence}"),
        };
    }
    let far = work.progress.map(|progress| format!(" ({} of {})", progress.done, progress.total));
    Verdict {
        state: HealthState::Working,
        sentence: format!("Going live: {}{}.", lower(&work.doing), far.unwrap_or_default()),
    }
}

/// For the top of the page; `None` where everything is as ever.
pub fn banner(mode: Mode<'_>) -> Option<String> {
    let trial = match (mode.trial, mode.trial_is_set) {
        (true, true) => Some(TRIAL),
        (true, false) => Some(TRIAL_GOES_ON),
        (false, _) => None,
    };
    let all: Vec<&str> = [mode.watch_only.then_some(WATCHING), trial].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// A sentence's beginning in the middle of another, names left as they are.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::Progress;

    fn plain() -> Mode<'static> {
        Mode { trial: false, trial_is_set: false, watch_only: false, waiting: 3, going_live: None }
    }

    fn verdict(state: HealthState) -> Verdict {
        Verdict { state, sentence: "Reason.".into() }
    }

    #[test]
    fn watching_only_is_never_green_and_always_said() {
        for state in HealthState::ALL {
            let said = in_mode(verdict(state), Mode { watch_only: true, ..plain() });
            assert_ne!(said.state, HealthState::InStep);
            assert!(said.sentence.starts_with("ShopSync only watches: nothing is written"), "{said:?}");
            let bad = matches!(state, HealthState::Failing | HealthState::Attention);
            assert_eq!(
                said.state == state,
                bad || state == HealthState::Starting || state == HealthState::Paused
            );
            assert_eq!(said.sentence.ends_with("Reason."), bad || state == HealthState::Starting);
            assert_eq!(in_mode(verdict(state), plain()), verdict(state), "as ever");
        }
    }

    #[test]
    fn going_live_is_work_with_progress_unless_something_is_worse() {
        let mut work = GoLiveWork {
            doing: "Removing the trial's bills from RainTek".into(),
            progress: Some(Progress { done: 3, total: 12 }),
            sentence: None,
        };
        let said = in_mode(verdict(HealthState::InStep), Mode { going_live: Some(&work), ..plain() });
        assert_eq!(said.state, HealthState::Working);
        assert_eq!(said.sentence, "Going live: removing the trial's bills from RainTek (3 of 12).");
        let said = in_mode(verdict(HealthState::Failing), Mode { going_live: Some(&work), ..plain() });
        assert_eq!((said.state, said.sentence.as_str()), (HealthState::Failing, "Going live waits. Reason."));
        work.sentence = Some("The app refuses.".into());
        let said = in_mode(verdict(HealthState::InStep), Mode { going_live: Some(&work), ..plain() });
        assert_eq!(said.state, HealthState::Attention);
        assert!(said.sentence.ends_with("The app refuses."));
    }

    #[test]
    fn the_banner_says_what_is_not_as_ever() {
        assert_eq!(banner(plain()), None);
        let trial = banner(Mode { trial: true, trial_is_set: true, ..plain() }).unwrap();
        assert!(trial.contains("test data"), "{trial}");
        let both = banner(Mode { trial: true, watch_only: true, ..plain() }).unwrap();
        assert!(both.contains("still a trial") && both.contains("only watches"), "{both}");
    }
}
