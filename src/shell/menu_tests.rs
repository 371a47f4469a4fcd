//! The tray in every state, to the letter.

use std::fmt::Write as _;

use chrono::TimeZone as _;

use super::*;
use crate::model::backup::BackupWork;
use crate::model::sample;

const ZONE: Tz = Tz::Asia__Kolkata;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 9, 15, 5, 12, 0).unwrap()
}

fn snapshot(state: HealthState, sentence: &str) -> Snapshot {
    Snapshot {
        summary: "143 of 143 invoices of today are in RainTek. Last: GST-0143, 2 min ago.".into(),
        ..sample::snapshot(now(), state, sentence)
    }
}

fn seen(snapshot: &Snapshot) -> Seen<'_> {
    Seen { engine: Engine::Running(snapshot), now: now(), zone: ZONE, window: true, ends_with_us: true }
}

fn drawn(view: &TrayView) -> String {
    fn lines(entries: &[Entry], deep: usize, text: &mut String) {
        for entry in entries {
            let indent = "  ".repeat(deep);
            let off = |enabled: &bool| if *enabled { "" } else { "  (off)" };
            match entry {
                Entry::Label(words) => writeln!(text, "{indent}\"{words}\""),
                Entry::Item { choice, text: words, enabled } => {
                    writeln!(text, "{indent}{words} [{}]{}", choice.name(), off(enabled))
                }
                Entry::Submenu { text: words, enabled, .. } => {
                    writeln!(text, "{indent}{words} >{}", off(enabled))
                }
                Entry::Separator => writeln!(text, "{indent}---"),
            }
            .unwrap();
            if let Entry::Submenu { entries, .. } = entry {
                lines(entries, deep + 1, text);
            }
        }
    }
    let mut text = format!("icon {}\ntooltip {:?}\n", view.icon.name(), view.tooltip);
    lines(&view.menu, 1, &mut text);
    text
}

#[test]
fn every_state_is_drawn_as_agreed() {
    let starting = snapshot(HealthState::Starting, "Looking at both sides.");
    let in_step = snapshot(HealthState::InStep, "Everything is in step.");
    let mut working = snapshot(HealthState::Working, "2 invoices are on their way to RainTek.");
    working.counts.waiting = 2;
    working.backups.running =
        Some(BackupWork { doing: "Backing up RainTek".into(), percent: Some(40), since: now() });
    let attention = snapshot(
        HealthState::Attention,
        "1 invoice needs you: GST-0151. Item \"Blue pen\" is not in RainTek.",
    );
    let mut failing = snapshot(
        HealthState::Failing,
        "RainTek's database is not answering. Since 10:41. 3 invoices wait; they are sent by themselves when it \
         is back.",
    );
    failing.backups.enabled = false;
    let mut paused = snapshot(HealthState::Paused, "Paused until 11:42.");
    paused.paused_until = Some(now() + TimeDelta::hours(1));
    let mut stale = in_step.clone();
    stale.at = now() - TimeDelta::seconds(91);

    let mut text = String::new();
    for (name, snapshot) in [
        ("starting", &starting),
        ("in step", &in_step),
        ("working", &working),
        ("attention", &attention),
        ("failing", &failing),
        ("paused", &paused),
        ("in step, but long ago", &stale),
    ] {
        writeln!(text, "== {name}\n{}", drawn(&view(&seen(snapshot)))).unwrap();
    }
    let other = |engine| Seen { engine, ..seen(&in_step) };
    for (name, seen) in [
        ("without a window", Seen { window: false, ..seen(&in_step) }),
        ("another's engine", Seen { ends_with_us: false, ..seen(&in_step) }),
        ("another's engine, long ago", Seen { ends_with_us: false, ..seen(&stale) }),
        ("engine starting", other(Engine::Starting)),
        ("engine unable", other(Engine::Unable("settings.toml: line 3: unknown field `serverr`"))),
        ("engine stopping", other(Engine::Stopping)),
    ] {
        writeln!(text, "== {name}\n{}", drawn(&view(&seen))).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/shell/menu_golden.txt");
    if std::env::var_os("SHOPSYNC_GOLDEN").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let agreed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, agreed.replace("\r\n", "\n"), "SHOPSYNC_GOLDEN=1 writes it anew");
}

#[test]
fn only_a_fresh_word_of_the_engine_is_green() {
    let green = snapshot(HealthState::InStep, "Everything is in step.");
    assert_eq!(view(&seen(&green)).icon, HealthState::InStep);
    for engine in [Engine::Starting, Engine::Stopping, Engine::Unable("No.")] {
        assert_ne!(view(&Seen { engine, ..seen(&green) }).icon, HealthState::InStep);
    }
    let late = Seen { now: now() + TimeDelta::seconds(91), ..seen(&green) };
    assert_eq!(view(&late).icon, HealthState::Failing);
    assert!(view(&late).tooltip.starts_with("No answer from ShopSync's engine since 10:42."));
}

#[test]
fn a_tooltip_fits_and_is_cut_between_characters() {
    for (sentence, ends) in [
        ("x".repeat(127), "x"),
        ("x".repeat(128), "x…"),
        ("₹".repeat(400), "₹…"),
        // Two units each: the last that fits whole is the 63rd.
        ("🧾".repeat(64), "🧾…"),
        (format!("{} y", "x".repeat(125)), "x y"),
        (format!("{} yz", "x".repeat(125)), "x…"),
    ] {
        let view = view(&seen(&snapshot(HealthState::Attention, &sentence)));
        let units = view.tooltip.encode_utf16().count();
        assert!(units <= TOOLTIP, "{units} units");
        assert!(view.tooltip.ends_with(ends), "{}", view.tooltip);
        let Some(Entry::Label(first)) = view.menu.first() else { panic!("{:?}", view.menu) };
        assert!(first.encode_utf16().count() <= LINE);
    }
    assert_eq!("🧾".repeat(63), cut(&"🧾".repeat(64), 127).trim_end_matches('…'));
}

#[test]
fn clicks_ask_for_what_they_say() {
    let command = |choice: Choice| choice.command(now(), ZONE);
    assert_eq!(command(Choice::SyncNow), Some(Command::SyncNow));
    assert_eq!(command(Choice::PauseQuarter), Some(Command::Pause { until: now() + TimeDelta::minutes(15) }));
    assert_eq!(command(Choice::PauseHour), Some(Command::Pause { until: now() + TimeDelta::hours(1) }));
    // 10:42 in the shop; its midnight is 18:30 UTC.
    let midnight = Utc.with_ymd_and_hms(2026, 9, 15, 18, 30, 0).unwrap();
    assert_eq!(command(Choice::PauseTomorrow), Some(Command::Pause { until: midnight }));
    assert_eq!(command(Choice::Resume), Some(Command::Resume));
    assert_eq!(command(Choice::BackUp), Some(Command::Backup { task: BackupTask::Now }));
    for own in [Choice::Open, Choice::Logs, Choice::Quit] {
        assert_eq!(command(own), None);
    }
    for (choice, name) in CHOICES {
        assert_eq!((Choice::from_name(name), choice.name()), (Some(choice), name));
    }
    assert_eq!(Choice::from_name("format_disk"), None);
}

#[test]
fn quitting_is_asked_about_only_where_something_is_on_its_way() {
    let idle = snapshot(HealthState::InStep, "Everything is in step.");
    assert_eq!(question(&Engine::Running(&idle)), None);
    assert_eq!(question(&Engine::Unable("No.")), None);

    let mut working = snapshot(HealthState::Working, "2 invoices are on their way to RainTek.");
    working.counts.waiting = 2;
    let asked = question(&Engine::Running(&working)).unwrap();
    assert!(finishes(&working) && asked.text.starts_with("2 invoices are on their way"), "{asked:?}");
    assert_eq!(asked.yes, "Finish and quit");

    let mut away = working.clone();
    away.raintek.connected = false;
    away.counts.waiting = 1;
    let asked = question(&Engine::Running(&away)).unwrap();
    assert!(!finishes(&away) && asked.text.starts_with("1 invoice waits for RainTek."), "{asked:?}");
    assert_eq!(asked.yes, "Quit");

    let mut backup = idle;
    backup.backups.running =
        Some(BackupWork { doing: "Backing up RainTek".into(), percent: None, since: now() });
    assert!(question(&Engine::Running(&backup)).unwrap().text.starts_with("A backup"));
}
