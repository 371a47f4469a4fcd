//! What waited for the internet: as one message, the newest state first.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::texts::join;
use crate::model::alert::{Level, Message, Queued};

/// Nothing older is sent.
pub const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// One that waited longer says when it was.
const PROMPT: TimeDelta = TimeDelta::minutes(2);

/// One message of all that waits for a chat; `None` where nothing is worth sending.
pub fn combine(queued: &[Queued], now: DateTime<Utc>, zone: Tz) -> Option<Message> {
    let mut fresh: Vec<&Message> =
        queued.iter().map(|queued| &queued.message).filter(|message| now - message.at < KEPT_FOR).collect();
    fresh.sort_by_key(|message| std::cmp::Reverse(message.at));
    let (newest, level) = (fresh.first()?.at, fresh.iter().map(|message| message.level).max()?);
    let text = match fresh.as_slice() {
        [one] if now - one.at < PROMPT => one.text.clone(),
        all => {
            let lines = all.iter().map(|message| stamped(message, now, zone));
            join(lines, |left| format!("And {left} older messages."))
        }
    };
    // Nobody is to be woken by what was solved meanwhile; a critical one rings however late it is.
    let level = if now - newest >= PROMPT && level == Level::Warning { Level::Info } else { level };
    Some(Message { at: newest, level, text })
}

fn stamped(message: &Message, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (message.at.with_timezone(&zone), now.with_timezone(&zone));
    let form = if at.date_naive() == now.date_naive() { "%H:%M" } else { "%d %b %H:%M" };
    format!("({}) {}", at.format(form), message.text)
}
