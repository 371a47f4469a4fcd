//! What the settings, the first run and the diagnostics tell the page and the command line. All of it is published:
//! no secret ever stands in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// One sentence.
    #[serde(rename = "refused")]
    pub sentence: String,
    /// The setting that is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Refusal {
    /// No setting is to blame.
    pub fn whole(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), field: None }
    }

    /// This one is.
    pub fn of(field: &str, sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), field: Some(field.to_owned()) }
    }
}

/// Settings by key, as somebody gave them.
pub type Changes = BTreeMap<String, Value>;

/// One setting, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldView {
    /// [`super::fields::Field::key`].
    pub key: String,
    /// [`super::fields::Kind::name`].
    pub kind: String,
    /// As it counts; `null` for a secret and for what is not set.
    pub value: Value,
    /// What it is without being set.
    pub default: Value,
    /// What may be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Whether a secret is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<bool>,
    /// `now`, or `restart`.
    pub effect: String,
    /// The environment sets it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overridden: bool,
}

/// Settings that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    /// [`super::fields::Field::group`].
    pub id: String,
    /// In the order in which they are shown.
    pub fields: Vec<FieldView>,
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsView {
    /// The file, which need not exist.
    pub file: String,
    /// All of them.
    pub groups: Vec<GroupView>,
    /// Those that were changed and count only after a restart.
    pub restart_needed: Vec<String>,
    /// Keys of the file that this program does not know; they are kept.
    #[serde(default)]
    pub unknown: Vec<String>,
}

/// Settings were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Which.
    pub saved: Vec<String>,
    /// Those of them that count only after a restart.
    pub restart_needed: Vec<String>,
    /// For a person.
    pub sentence: String,
}

/// What came of trying something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// It works.
    pub ok: bool,
    /// One sentence.
    pub sentence: String,
    /// More, a line each.
    #[serde(default)]
    pub details: Vec<String>,
}

impl Tested {
    /// It works.
    pub fn fine(sentence: impl Into<String>) -> Self {
        Self { ok: true, sentence: sentence.into(), details: Vec::new() }
    }

    /// It does not.
    pub fn not(sentence: impl Into<String>) -> Self {
        Self { ok: false, sentence: sentence.into(), details: Vec::new() }
    }

    /// With the technical words.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.extend(Some(detail.into()).filter(|detail| !detail.is_empty()));
        self
    }
}

/// What can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// RainTek's database.
    Raintek,
    /// The billing app.
    Billing,
    /// The Telegram bot.
    Telegram,
}

/// A database that may be RainTek's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// For choosing it.
    pub id: String,
    /// As RainTek or the system names the server.
    pub server: String,
    /// The database.
    pub database: String,
    /// The login; empty is the Windows account.
    pub login: String,
    /// The shop's name there.
    pub shop: String,
    /// For a person: `Demo Mart (Raintech_DB1 on .\SQLEXPRESS), 2,998 bills, latest 15 Sep`.
    pub label: String,
    /// It can be used.
    pub ok: bool,
    /// What it is, or why it cannot be used.
    pub sentence: String,
    /// `tcp`, `pipe`, or nothing where it was not reached.
    pub via: String,
    /// `SQLSettings.dat`, `registry`, `localhost` or `given`.
    pub found_by: String,
    /// Its server listens to no TCP, and a button can change that.
    pub can_switch_tcp_on: bool,
    /// The folder whose files said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The technical error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What is asked for as RainTek's database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// One that was found.
    pub id: Option<String>,
    /// Or by hand: the server,
    pub server: Option<String>,
    /// its port,
    pub port: Option<u16>,
    /// the database,
    pub database: Option<String>,
    /// the login,
    pub user: Option<String>,
    /// and its password.
    pub password: Option<String>,
}

/// The billing app, as the first run shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingView {
    /// Where ShopSync reaches it.
    pub url: String,
    /// Where phones of the shop's network reach it.
    pub lan: Vec<String>,
    /// It answers.
    pub running: bool,
    /// Whose it is, or why it does not answer.
    pub sentence: String,
}

/// The Telegram bot, as the first run shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelegramView {
    /// A token is kept.
    pub token: bool,
    /// Who is told.
    pub chat: Option<String>,
    /// Somebody is to write to the bot now.
    #[serde(default)]
    pub waiting_for_hi: bool,
    /// The bot, `@name`.
    #[serde(default)]
    pub bot: Option<String>,
    /// What happened last.
    #[serde(default)]
    pub sentence: String,
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchProgress {
    /// What is being done.
    pub sentence: String,
    /// Done so far.
    pub done: u64,
    /// All of it.
    pub of: u64,
}

/// The first run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupView {
    /// Somebody pressed Start, or had set it up before.
    pub done: bool,
    /// `raintek`, `billing`, `alerts`, `check` or `done`.
    pub step: String,
    /// The database that is used.
    pub raintek: Option<Candidate>,
    /// The billing app.
    pub billing: BillingView,
    /// The Telegram bot.
    pub telegram: TelegramView,
    /// A search is under way.
    pub searching: bool,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<SearchProgress>,
    /// What was found, the best first.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
    /// What came of the search, once there was one.
    #[serde(default)]
    pub sentence: String,
    /// What is being done now, where a step takes its time.
    #[serde(default)]
    pub doing: String,
}

/// A row that would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowView {
    /// Where.
    pub table: String,
    /// Columns and what would stand in them, as texts.
    pub columns: Vec<(String, String)>,
}

/// An invoice, and what would be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewView {
    /// Its number.
    pub number: String,
    /// May be empty (walk-in).
    pub customer: String,
    /// Rupees as decimal text.
    pub amount: String,
    /// What would be done, a sentence each.
    pub words: Vec<String>,
    /// The rows that would be written.
    pub rows: Vec<RowView>,
}

/// The newest invoices, and what would be done with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// The newest first.
    pub invoices: Vec<PreviewView>,
    /// One sentence.
    pub sentence: String,
    /// Both sides were looked at.
    pub ok: bool,
}

/// A file of the diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFile {
    /// Its name in the archive.
    pub name: String,
    /// What stands in it, masked.
    pub text: String,
    /// Bytes of it.
    pub size: u64,
    /// Only its end is here.
    pub truncated: bool,
}

/// What would be given to whoever supports the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its files.
    pub files: Vec<ReportFile>,
    /// For a person.
    pub sentence: String,
}

/// Where it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedReport {
    /// The file.
    pub path: String,
    /// For a person.
    pub sentence: String,
}
