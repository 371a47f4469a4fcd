//! What the tray shows, as a pure value: [`Seen`] in, [`TrayView`] out. Back ends only draw it.

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::model::backup::BackupTask;
use crate::model::command::Command;
use crate::model::desktop::Question;
use crate::model::health::HealthState;
use crate::model::status::Snapshot;

/// What Windows shows of a tooltip, in UTF-16 units, its end mark left out.
pub const TOOLTIP: usize = 127;
/// A menu wider than this covers half a small screen; in UTF-16 units as well.
const LINE: usize = 90;
/// The engine publishes anew every few seconds; what is older than this is no news of it.
const STALE: TimeDelta = TimeDelta::seconds(90);

/// How far the engine is.
#[derive(Debug, Clone, Copy)]
pub enum Engine<'a> {
    /// It is being started.
    Starting,
    /// It cannot be started, and why, in one sentence; it is tried again by itself.
    Unable(&'a str),
    /// It runs, and this is what it published last.
    Running(&'a Snapshot),
    /// It is being stopped; what is on its way is finished first.
    Stopping,
}

/// Everything that the tray is made from.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// How far the engine is.
    pub engine: Engine<'a>,
    /// Wall time.
    pub now: DateTime<Utc>,
    /// The shop's zone, for times in words.
    pub zone: Tz,
    /// Whether the page opens in a window of ours; else in the default browser.
    pub window: bool,
    /// Whether the engine ends with this process; else it is another one's, which is only shown.
    pub ends_with_us: bool,
}

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrayView {
    /// The icon, by its state.
    pub icon: HealthState,
    /// At most [`TOOLTIP`] UTF-16 units.
    pub tooltip: String,
    /// The menu, from above.
    pub menu: Vec<Entry>,
}

/// A line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Something to read.
    Label(String),
    /// Something to click.
    Item {
        /// What a click asks for.
        choice: Choice,
        /// In words.
        text: String,
        /// Whether it can be clicked now.
        enabled: bool,
    },
    /// A menu within the menu.
    Submenu {
        /// In words.
        text: String,
        /// Whether it can be opened now.
        enabled: bool,
        /// Its lines.
        entries: Vec<Entry>,
    },
    /// A line between two groups.
    Separator,
}

/// What can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Opens the page.
    Open,
    /// Looks at both sides now.
    SyncNow,
    /// Sends nothing for 15 minutes.
    PauseQuarter,
    /// Sends nothing for an hour.
    PauseHour,
    /// Sends nothing for the rest of the shop's day.
    PauseTomorrow,
    /// Goes on.
    Resume,
    /// Backs both sides up.
    BackUp,
    /// Opens the folder with the logs.
    Logs,
    /// Ends ShopSync.
    Quit,
}

const CHOICES: [(Choice, &str); 9] = [
    (Choice::Open, "open"),
    (Choice::SyncNow, "sync_now"),
    (Choice::PauseQuarter, "pause_quarter"),
    (Choice::PauseHour, "pause_hour"),
    (Choice::PauseTomorrow, "pause_tomorrow"),
    (Choice::Resume, "resume"),
    (Choice::BackUp, "back_up"),
    (Choice::Logs, "logs"),
    (Choice::Quit, "quit"),
];

impl Choice {
    /// As the back end's menu calls it.
    pub fn name(self) -> &'static str {
        CHOICES.iter().find(|(choice, _)| *choice == self).map_or("", |(_, name)| name)
    }

    /// The choice of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        CHOICES.iter().find(|(_, known)| *known == name).map(|(choice, _)| *choice)
    }

    /// What it asks of the engine; `None` where it is the shell's own.
    pub fn command(self, now: DateTime<Utc>, zone: Tz) -> Option<Command> {
        Some(match self {
            Self::SyncNow => Command::SyncNow,
            Self::PauseQuarter => Command::Pause { until: now + TimeDelta::minutes(15) },
            Self::PauseHour => Command::Pause { until: now + TimeDelta::hours(1) },
            Self::PauseTomorrow => Command::Pause { until: tomorrow(now, zone) },
            Self::Resume => Command::Resume,
            Self::BackUp => Command::Backup { task: BackupTask::Now },
            Self::Open | Self::Logs | Self::Quit => return None,
        })
    }
}

/// Makes the view. Never green on anything but a fresh word of the engine.
pub fn view(seen: &Seen<'_>) -> TrayView {
    let (icon, sentence, more) = state(seen);
    let mut tooltip = cut(&sentence, TOOLTIP);
    let both = format!("{tooltip}\n{more}");
    if !more.is_empty() && both.encode_utf16().count() <= TOOLTIP {
        tooltip = both;
    }
    TrayView { icon, tooltip, menu: menu(seen, &sentence) }
}

/// What is asked before it quits; nothing where nothing is on its way.
pub fn question(engine: &Engine<'_>) -> Option<Question> {
    let Engine::Running(snapshot) = engine else { return None };
    let waiting = snapshot.counts.waiting;
    if waiting == 0 && snapshot.backups.running.is_none() {
        return None;
    }
    let text = match waiting {
        0 => "A backup is being made. If ShopSync quits now, it is made again later.".to_owned(),
        1 if finishes(snapshot) => {
            "1 invoice is on its way to RainTek. ShopSync finishes it first, then quits.".to_owned()
        }
        n if finishes(snapshot) => {
            format!("{n} invoices are on their way to RainTek. ShopSync finishes them first, then quits.")
        }
        1 => "1 invoice waits for RainTek. It is kept safe and sent when ShopSync runs again.".to_owned(),
        n => {
            format!("{n} invoices wait for RainTek. They are kept safe and sent when ShopSync runs again.")
        }
    };
    let yes = if waiting > 0 && finishes(snapshot) { "Finish and quit" } else { "Quit" };
    Some(Question { text, yes: yes.into(), no: "Keep running".into() })
}

/// Whether what waits goes out by itself within seconds: worth waiting for before it ends.
pub fn finishes(snapshot: &Snapshot) -> bool {
    let in_touch = snapshot.raintek.connected && snapshot.billing.connected;
    let moves = matches!(snapshot.state, HealthState::Working | HealthState::Attention | HealthState::InStep);
    in_touch && snapshot.paused_until.is_none() && moves
}

fn state(seen: &Seen<'_>) -> (HealthState, String, String) {
    let bare = |icon, sentence: &str| (icon, sentence.to_owned(), String::new());
    match seen.engine {
        Engine::Starting => bare(HealthState::Starting, "ShopSync is starting."),
        Engine::Stopping => bare(HealthState::Working, "ShopSync finishes what is on its way, then quits."),
        Engine::Unable(sentence) => bare(HealthState::Failing, sentence),
        Engine::Running(snapshot) if seen.now - snapshot.at > STALE => {
            let since = snapshot.at.with_timezone(&seen.zone).format("%H:%M");
            let action = if seen.ends_with_us { "Quit and start it again." } else { "Restart this PC." };
            bare(HealthState::Failing, &format!("No answer from ShopSync's engine since {since}. {action}"))
        }
        Engine::Running(snapshot) => (snapshot.state, snapshot.sentence.clone(), snapshot.summary.clone()),
    }
}

fn menu(seen: &Seen<'_>, sentence: &str) -> Vec<Entry> {
    let snapshot = match seen.engine {
        Engine::Running(snapshot) => Some(snapshot),
        Engine::Starting | Engine::Unable(_) | Engine::Stopping => None,
    };
    let stopping = matches!(seen.engine, Engine::Stopping);
    let runs = snapshot.is_some();
    let item = |choice, text: &str, enabled| Entry::Item { choice, text: text.to_owned(), enabled };
    let mut entries = vec![Entry::Label(cut(sentence, LINE)), Entry::Separator];
    entries.push(item(Choice::Open, if seen.window { "Open ShopSync" } else { "Open in the browser" }, runs));
    if !seen.window {
        entries.push(Entry::Label("No window on this PC: it opens in the browser".into()));
    }
    entries.push(item(Choice::SyncNow, "Sync now", runs));
    match snapshot.and_then(|snapshot| snapshot.paused_until).filter(|until| *until > seen.now) {
        Some(until) => {
            let text = format!("Resume (paused until {})", moment(until, seen));
            entries.push(item(Choice::Resume, &text, runs));
        }
        None => entries.push(Entry::Submenu {
            text: "Pause".into(),
            enabled: runs,
            entries: vec![
                item(Choice::PauseQuarter, "15 minutes", true),
                item(Choice::PauseHour, "1 hour", true),
                item(Choice::PauseTomorrow, "Until tomorrow", true),
            ],
        }),
    }
    let backups = snapshot.map(|snapshot| &snapshot.backups);
    entries.push(match backups.and_then(|backups| backups.running.as_ref()) {
        Some(work) => {
            let percent = work.percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
            item(Choice::BackUp, &cut(&format!("{}{percent}", work.doing), LINE), false)
        }
        None => item(Choice::BackUp, "Back up now", backups.is_some_and(|backups| backups.enabled)),
    });
    entries.push(Entry::Separator);
    entries.push(item(Choice::Logs, "Open logs folder", true));
    let quit = if seen.ends_with_us { "Quit" } else { "Close this icon (ShopSync goes on)" };
    entries.push(item(Choice::Quit, quit, !stopping));
    entries
}

fn moment(at: DateTime<Utc>, seen: &Seen<'_>) -> String {
    let (at, now) = (at.with_timezone(&seen.zone), seen.now.with_timezone(&seen.zone));
    let format = if at.date_naive() == now.date_naive() { "%H:%M" } else { "%d %b %H:%M" };
    at.format(format).to_string()
}

/// The shop's next midnight.
fn tomorrow(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let day = now.with_timezone(&zone).date_naive();
    let midnight = day.checked_add_days(Days::new(1)).map(|next| next.and_time(chrono::NaiveTime::MIN));
    // A zone may leave midnight out when its clocks change: then a whole day it is.
    midnight
        .and_then(|midnight| midnight.and_local_timezone(zone).earliest())
        .map_or(now + TimeDelta::days(1), |at| at.with_timezone(&Utc))
}

/// At most so many UTF-16 units, cut between two characters, with a mark where something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let fits = text.chars().take_while(|one| {
        let fits = one.len_utf16() <= room;
        room = room.saturating_sub(one.len_utf16());
        fits
    });
    let mut kept: String = fits.collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
