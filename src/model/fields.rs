//! Every setting that a person can change: its key, its kind, and what may stand in it. Texts that explain them belong
//! to the page.

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value};

/// What may stand in a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Some text; never empty.
    Text,
    /// A whole number.
    Number(u32, u32),
    /// Yes or no.
    Bool,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A folder or a file, by its whole path.
    Folder,
    /// Times of a day, `21:00`.
    Times,
    /// One time of a day.
    Time,
    /// A day, `2026-04-01`.
    Date,
    /// A web address.
    Url,
    /// An address to listen on, `0.0.0.0:8090`.
    Listen,
    /// Telegram's numbers of chats.
    Chats,
    /// Names and their texts.
    Names,
    /// Names of tables of names.
    Tables,
    /// A password or token: kept elsewhere, never shown.
    Secret,
}

impl Kind {
    /// As published.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text | Self::Listen => "text",
            Self::Number(..) => "number",
            Self::Bool => "bool",
            Self::Choice(_) => "choice",
            Self::Folder => "folder",
            Self::Times => "times",
            Self::Time => "time",
            Self::Date => "date",
            Self::Url => "url",
            Self::Chats => "chats",
            Self::Names => "names",
            Self::Tables => "tables",
            Self::Secret => "secret",
        }
    }
}

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Where it stands in the file: `raintek.server`.
    pub key: &'static str,
    /// With which others it is shown.
    pub group: &'static str,
    /// What may stand in it.
    pub kind: Kind,
    /// May be left out; then the default is none.
    pub optional: bool,
}

const fn field(group: &'static str, key: &'static str, kind: Kind) -> Field {
    Field { key, group, kind, optional: false }
}

const fn maybe(group: &'static str, key: &'static str, kind: Kind) -> Field {
    Field { key, group, kind, optional: true }
}

const DAY: u32 = 86_400;
const MANY: u32 = 1_000_000;

/// All of them, in the order in which they are shown.
pub const FIELDS: &[Field] = &[
    maybe("raintek", "raintek.folder", Kind::Folder),
    field("raintek", "raintek.server", Kind::Text),
    field("raintek", "raintek.port", Kind::Number(0, 65_535)),
    field("raintek", "raintek.database", Kind::Text),
    field("raintek", "raintek.user", Kind::Text),
    field("raintek", "raintek.password", Kind::Secret),
    field("raintek", "raintek.auth", Kind::Choice(&["sql", "windows"])),
    field("raintek", "raintek.encryption", Kind::Choice(&["auto", "required", "none"])),
    field("billing", "billing.url", Kind::Url),
    field("billing", "billing.listen", Kind::Listen),
    maybe("billing", "billing.folder", Kind::Folder),
    maybe("billing", "billing.program", Kind::Folder),
    maybe("billing", "billing.identity", Kind::Text),
    field("billing", "billing.password", Kind::Secret),
    field("telegram", "telegram.token", Kind::Secret),
    field("telegram", "telegram.chats", Kind::Chats),
    field("telegram", "telegram.commands", Kind::Bool),
    maybe("telegram", "alerts.closing_time", Kind::Time),
    field("backup", "backup.enabled", Kind::Bool),
    maybe("backup", "backup.folder", Kind::Folder),
    field("backup", "backup.times", Kind::Times),
    field("backup", "backup.keep_days", Kind::Number(1, 3650)),
    field("backup", "backup.keep_snapshots_days", Kind::Number(1, 3650)),
    field("backup", "backup.keep_free_mb", Kind::Number(0, MANY)),
    field("backup", "backup.drill", Kind::Bool),
    field("desktop", "desktop.autostart", Kind::Bool),
    field("desktop", "desktop.toasts", Kind::Bool),
    field("desktop", "desktop.open_in", Kind::Choice(&["window", "browser"])),
    field("desktop", "desktop.language", Kind::Choice(&["system", "en", "hi"])),
    field("desktop", "desktop.theme", Kind::Choice(&["system", "light", "dark"])),
    field("posting", "posting.stock", Kind::Bool),
    field("posting", "posting.ledgers", Kind::Bool),
    field("trial", "trial", Kind::Bool),
    field("trial", "watch_only", Kind::Bool),
    field("advanced", "engine", Kind::Choice(&["tray", "service"])),
    field("advanced", "zone", Kind::Text),
    field("advanced", "products.every_seconds", Kind::Number(1, DAY)),
    field("advanced", "products.stock", Kind::Choice(&["opening", "live"])),
    maybe("advanced", "products.unknown_item", Kind::Text),
    field("advanced", "push.look_every_seconds", Kind::Number(1, DAY)),
    maybe("advanced", "push.from_date", Kind::Date),
    field("advanced", "awareness.every_seconds", Kind::Number(1, DAY)),
    field("advanced", "awareness.window_days", Kind::Number(1, 3650)),
    field("advanced", "awareness.history_days", Kind::Number(0, 36_500)),
    maybe("advanced", "awareness.history_from", Kind::Date),
    field("advanced", "alerts.lost_after_seconds", Kind::Number(0, DAY)),
    field("advanced", "alerts.failing_after_hours", Kind::Number(1, 8_760)),
    field("advanced", "alerts.gap_seconds", Kind::Number(1, DAY)),
    maybe("advanced", "alerts.heartbeat_url", Kind::Url),
    field("advanced", "alerts.heartbeat_seconds", Kind::Number(1, DAY)),
    field("advanced", "alerts.disk_free_mb", Kind::Number(0, MANY)),
    field("advanced", "telegram.base_url", Kind::Url),
    field("advanced", "web.port", Kind::Number(0, 65_535)),
    field("advanced", "payments", Kind::Names),
    field("advanced", "billing.collections", Kind::Names),
    field("advanced", "billing.fields", Kind::Tables),
];

/// The setting of this key.
pub fn find(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}

/// The known key that somebody meant who wrote this one: a letter off, two exchanged, or two off a long word.
pub fn meant(key: &str) -> Option<&'static str> {
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let word = key.rsplit('.').next().unwrap_or(key);
    let slip = |known: &&str| match distance(key, known) {
        0 => false,
        1 => true,
        2 => word.chars().count() >= 7 || letters(key) == letters(known),
        _ => false,
    };
    let tables = FIELDS.iter().filter_map(|field| field.key.split_once('.')).map(|(table, _)| table);
    let known = FIELDS.iter().map(|field| field.key).chain(tables);
    known.filter(slip).min_by_key(|known| distance(key, known))
}

/// Letters to add, take away or exchange.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((b, above), diagonal) in other.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(a != *b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

impl Field {
    /// Whether it is kept apart from the settings.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Whether it counts only once the program has started anew.
    pub fn needs_restart(&self) -> bool {
        self.key == "web.port"
    }

    /// What is to stand in the file for what a person gave; `Null` leaves it out.
    ///
    /// # Errors
    /// One sentence that says what may stand here.
    pub fn read(&self, given: &Value) -> Result<Value, String> {
        let blank = match given {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        };
        if blank {
            return match self.kind {
                _ if self.optional => Ok(Value::Null),
                Kind::Chats | Kind::Times => Ok(Value::Array(Vec::new())),
                Kind::Names | Kind::Tables => Ok(Value::Object(Map::new())),
                Kind::Secret => Ok(Value::String(String::new())),
                _ => Err("Something must stand here.".to_owned()),
            };
        }
        let text = given.as_str().map(str::trim);
        match self.kind {
            Kind::Text | Kind::Secret => match text {
                Some(text) if text.chars().any(char::is_control) => {
                    Err("There is a line break or another mark in it that cannot be meant.".to_owned())
                }
                Some(text) => Ok(text.into()),
                None => Err("A text is wanted here.".to_owned()),
            },
            Kind::Number(least, most) => {
                let number = given.as_u64().or_else(|| text.and_then(|text| text.parse().ok()));
                let fits = number.filter(|number| (u64::from(least)..=u64::from(most)).contains(number));
                fits.map(Value::from)
                    .ok_or_else(|| format!("A whole number from {least} to {most} is wanted here."))
            }
            Kind::Bool => match (given, text) {
                (Value::Bool(_), _) => Ok(given.clone()),
                (_, Some("true" | "on" | "yes")) => Ok(true.into()),
                (_, Some("false" | "off" | "no")) => Ok(false.into()),
                _ => Err("On or off is wanted here.".to_owned()),
            },
            Kind::Choice(choices) => match text {
                Some(text) if choices.contains(&text) => Ok(text.into()),
                _ => Err(format!("One of these is wanted here: {}.", choices.join(", "))),
            },
            Kind::Folder => folder(text),
            Kind::Time => time(given).map(Value::from),
            Kind::Times => list(given)?.iter().map(|one| time(one).map(Value::from)).collect(),
            Kind::Date => {
                let date = text.and_then(|text| text.parse::<NaiveDate>().ok());
                date.map(|date| date.to_string().into())
                    .ok_or_else(|| "A day like 2026-04-01 is wanted here.".to_owned())
            }
            Kind::Url => url(text),
            Kind::Listen => listen(text),
            Kind::Chats => list(given)?.iter().map(chat).collect(),
            Kind::Names => names(given),
            Kind::Tables => {
                let Value::Object(tables) = given else {
                    return Err("Names and their texts are wanted here.".to_owned());
                };
                tables
                    .iter()
                    .map(|(name, table)| Ok((name.clone(), names(table)?)))
                    .collect::<Result<Map<_, _>, _>>()
                    .map(Value::from)
            }
        }
    }
}

fn list(given: &Value) -> Result<Vec<Value>, String> {
    match given {
        Value::Array(all) if all.len() <= 50 => Ok(all.clone()),
        Value::String(text) => {
            let parts = text.split([',', ' ', ';']).filter(|part| !part.is_empty());
            Ok(parts.take(50).map(Value::from).collect())
        }
        Value::Number(_) => Ok(vec![given.clone()]),
        _ => Err("A list is wanted here.".to_owned()),
    }
}

fn time(given: &Value) -> Result<String, String> {
    let text = given.as_str().unwrap_or_default().trim();
    let time =
        NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"));
    time.map(|time| time.format("%H:%M:%S").to_string())
        .map_err(|_| "A time like 21:00 is wanted here.".to_owned())
}

fn chat(given: &Value) -> Result<Value, String> {
    let number = given.as_i64().or_else(|| given.as_str().and_then(|text| text.trim().parse().ok()));
    let number = number.filter(|number| *number != 0);
    number
        .map(Value::from)
        .ok_or_else(|| "The number of a Telegram chat is wanted here, like 123456789.".to_owned())
}

/// Settings are read by a service too, whose working folder is another.
fn folder(text: Option<&str>) -> Result<Value, String> {
    let text = text.unwrap_or_default();
    let mut letters = text.chars();
    let drive = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.next() == Some(':')
        && letters.next().is_some_and(|c| matches!(c, '\\' | '/'));
    let whole = drive || text.starts_with('/') || text.starts_with(r"\\");
    if whole && !text.chars().any(char::is_control) {
        return Ok(text.into());
    }
    Err("A whole path is wanted here, like D:\\Backups.".to_owned())
}

fn url(text: Option<&str>) -> Result<Value, String> {
    let text = text.unwrap_or_default();
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let fine = !host.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if fine {
        Ok(text.into())
    } else {
        Err("A web address is wanted here, like http://127.0.0.1:8090.".to_owned())
    }
}

fn listen(text: Option<&str>) -> Result<Value, String> {
    let text = text.unwrap_or_default();
    let fine = text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && !host.contains(char::is_whitespace)
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if fine {
        Ok(text.into())
    } else {
        Err("An address with its port is wanted here, like 0.0.0.0:8090.".to_owned())
    }
}

fn names(given: &Value) -> Result<Value, String> {
    let wanted = || "Names and their texts are wanted here; none of them may be empty.".to_owned();
    let Value::Object(all) = given else { return Err(wanted()) };
    let fine = all.iter().all(|(name, text)| {
        !name.trim().is_empty() && text.as_str().is_some_and(|text| !text.trim().is_empty())
    });
    if fine { Ok(given.clone()) } else { Err(wanted()) }
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
