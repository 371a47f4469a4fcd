//! The words. Plain text, never markup: whatever an invoice or a customer is called stays a word. Customers' phone
//! numbers are left out.

use chrono::TimeDelta;

use super::Line;
use crate::model::status::Counts;

/// Telegram's limit, in UTF-16 units.
pub const LONGEST_MESSAGE: usize = 4096;
/// Lines of one message.
const MOST_LINES: usize = 20;
/// Characters of a reason.
const LONGEST_REASON: usize = 300;
/// Characters of an invoice number.
const LONGEST_NUMBER: usize = 40;

/// All lines as one message.
pub(super) fn message(lines: &[Line]) -> String {
    join(lines.iter().map(|line| line.text.clone()), |left| {
        format!("And {left} more: see the list on the PC.")
    })
}

/// Lines one below the other, as many as a message takes; `rest` says how many are left.
pub(super) fn join(lines: impl ExactSizeIterator<Item = String>, rest: impl Fn(usize) -> String) -> String {
    let total = lines.len();
    // Room for the line that says how many are left.
    let room = LONGEST_MESSAGE - 100;
    let mut text = String::new();
    let mut taken = 0;
    for line in lines {
        // With the break that is counted below: the first line always finds its place, or a message says nothing.
        let line = cut_units(&line, room - 1);
        if taken >= MOST_LINES || units(&text) + units(&line) + 1 > room {
            break;
        }
        if taken > 0 {
            text.push('\n');
        }
        text.push_str(&line);
        taken += 1;
    }
    if taken < total {
        text.push('\n');
        text.push_str(&rest(total - taken));
    }
    text
}

/// Length as Telegram counts it.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn cut_units(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut length = 0;
    let kept = text.chars().take_while(|c| {
        length += c.len_utf16();
        length < most
    });
    kept.chain(['\u{2026}']).collect()
}

/// One line of at most so many characters: no line breaks, nothing that turns the direction of writing or cannot be
/// seen, no phone numbers.
pub fn clean(text: &str, longest: usize) -> String {
    mask_phones(&one_line(text, longest))
}

/// An invoice number: as [`clean`], but its digits are its own.
pub(super) fn clean_number(number: &str) -> String {
    one_line(number, LONGEST_NUMBER)
}

fn one_line(text: &str, longest: usize) -> String {
    let unseen = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
    let space = |c: char| c.is_control() || c.is_whitespace() || unseen(c);
    let words: Vec<&str> = text.split(space).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().count() <= longest {
        return line;
    }
    line.chars().take(longest.saturating_sub(1)).chain(['\u{2026}']).collect()
}

/// Replaces what looks like a phone number: ten digits beginning with 6 to 9, with or without 0 or 91 before them, in
/// one piece or in groups; and eleven that begin with 0.
fn mask_phones(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        // Not the tail of a longer number, such as a barcode.
        let within_number = at > 0 && chars.get(at - 1).is_some_and(|before| before.is_numeric());
        let end = if c.is_numeric() && !within_number { phone_end(&chars, at) } else { None };
        match end {
            Some(end) => {
                masked.push_str("(phone number)");
                at = end;
            }
            None => {
                masked.push(c);
                at += 1;
            }
        }
    }
    masked
}

/// Where the phone number that begins here ends, if one does.
fn phone_end(chars: &[char], start: usize) -> Option<usize> {
    let mut digits = String::new();
    let mut at = start;
    let mut longest = None;
    loop {
        let group = chars.get(at..)?.iter().take_while(|c| c.is_numeric()).count();
        // "2026-27" is no group of a phone number; "91 98765 43210" begins with a country.
        if group < 3 && !digits.is_empty() {
            break;
        }
        digits.extend(chars.get(at..at + group)?.iter().map(|c| if c.is_ascii_digit() { *c } else { '9' }));
        at += group;
        if is_phone(&digits) {
            longest = Some(at);
        }
        match chars.get(at) {
            Some(' ' | '-' | '.') => at += 1,
            _ => break,
        }
    }
    longest
}

fn is_phone(digits: &str) -> bool {
    let bare = ["0091", "091", "91", "0"]
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix).filter(|rest| rest.len() == 10))
        .unwrap_or(digits);
    let mobile = bare.len() == 10 && bare.starts_with(['6', '7', '8', '9']);
    mobile || (digits.len() == 11 && digits.starts_with('0'))
}

/// A reason and what to do, each a sentence.
pub(super) fn advice(reason: &str, cure: &str) -> String {
    let parts = [sentence(reason), sentence(cure)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sentence(text: &str) -> String {
    let text = clean(text, LONGEST_REASON);
    if text.is_empty() || text.ends_with(['.', '!', '?', '\u{2026}']) { text } else { format!("{text}.") }
}

pub(super) fn lost(name: &str, reason: &str) -> String {
    advice(&format!("{name} connection lost. Retrying."), reason)
}

pub(super) fn back(name: &str, away: TimeDelta, queued: u64) -> String {
    let back = format!("{name} back after {}.", span(away));
    match queued {
        0 => back,
        1 => format!("{back} Syncing 1 queued invoice."),
        n => format!("{back} Syncing {n} queued invoices."),
    }
}

pub(super) fn invoice(number: &str) -> String {
    match clean_number(number) {
        number if number.is_empty() => "An invoice without a number".to_owned(),
        number => format!("Invoice {number}"),
    }
}

pub(super) fn not_reached(number: &str, failing_for: Option<TimeDelta>, reason: &str, cure: &str) -> String {
    let how_long = match failing_for.filter(|time| time.num_minutes() > 0) {
        Some(time) => format!(" for {}", span(time)),
        None => String::new(),
    };
    format!("{} has not reached RainTek{how_long}. {}", invoice(number), advice(reason, cure))
        .trim_end()
        .to_owned()
}

/// It stands in RainTek; the reason names it.
pub(super) fn taken_back(reason: &str, cure: &str) -> String {
    advice(&format!("Invoice {reason}"), cure)
}

pub(super) fn started(caught_up: u64) -> String {
    match caught_up {
        0 => "Sync started.".to_owned(),
        n => format!("Sync started. {}", self::caught_up(n)),
    }
}

pub(super) fn started_late(waiting: u64) -> String {
    format!("Sync started.{}", wait(waiting))
}

/// How many had waited for the start.
pub fn caught_up(count: u64) -> String {
    match count {
        1 => "Caught up 1 pending invoice.".to_owned(),
        n => format!("Caught up {n} pending invoices."),
    }
}

pub(super) fn stopped(waiting: u64) -> String {
    format!("Sync stopped.{}", wait(waiting))
}

/// Our own store takes nothing.
pub fn cannot_store(reason: &str, waiting: u64) -> String {
    format!("{}{} Nothing is lost.", sentence(reason), wait(waiting))
}

fn wait(waiting: u64) -> String {
    match waiting {
        0 => String::new(),
        1 => " 1 invoice waits.".to_owned(),
        n => format!(" {n} invoices wait."),
    }
}

/// The day, summed up. `backups` is `None` where there are none to speak of.
pub(super) fn today(counts: &Counts, mismatches: bool, backups: Option<u32>) -> String {
    let (done, seen) = (counts.done_today, counts.seen_today);
    let mut text = match seen {
        0 => "Today: no invoices.".to_owned(),
        // Each was read back when it was booked, and a difference found since is a mismatch.
        _ if done == seen && !mismatches => {
            format!("Today: {done} of {seen} invoices in RainTek, totals equal.")
        }
        _ if done == seen => format!("Today: {done} of {seen} invoices in RainTek, not all totals equal."),
        _ => format!("Today: {done} of {seen} invoices in RainTek."),
    };
    match counts.held {
        0 => {}
        1 => text.push_str(" 1 invoice needs you."),
        n => text.push_str(&format!(" {n} invoices need you.")),
    }
    match backups {
        None => {}
        Some(0) => text.push_str(" No backup proven."),
        Some(1) => text.push_str(" 1 backup proven."),
        Some(n) => text.push_str(&format!(" {n} backups proven.")),
    }
    text
}

/// Sent by `shopsync alerts test`.
pub fn test(place: &str) -> String {
    format!("Test message from ShopSync on {}. Alerts will come here.", clean(place, 60))
}

/// A time that passed, as people say it.
pub(super) fn span(time: TimeDelta) -> String {
    match time.num_seconds().max(0) {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// A size, as people say it.
pub(super) fn size(bytes: u64) -> String {
    const MB: u64 = 1 << 20;
    match bytes {
        0..MB => "less than 1 MB".to_owned(),
        bytes if bytes < 10_000 * MB => format!("{} MB", bytes / MB),
        bytes => format!("{} GB", bytes / (1 << 30)),
    }
}
