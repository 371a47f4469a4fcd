//! The settings, all with defaults: `settings.toml` is never required to exist.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::home::EngineHome;

/// The shape of the file that this program writes. Older ones are migrated, newer ones refused.
pub const VERSION: u32 = 2;

/// All settings. Keys that nobody knows are no error here: whoever reads the file tells a slip from a newer program's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which shape of the file this is: [`VERSION`].
    pub version: u32,
    /// The shop's zone.
    pub zone: Tz,
    /// What is written into RainTek is remembered, and taken back by `shopsync go-live`. Once begun, only that ends it.
    pub trial: bool,
    /// Plans are made and shown, nothing is written into RainTek.
    pub watch_only: bool,
    /// Where the engine runs.
    pub engine: EngineHome,
    /// RainTek's database.
    pub raintek: RaintekSettings,
    /// The billing app.
    pub billing: BillingSettings,
    /// Products, RainTek -> app.
    pub products: ProductsSettings,
    /// Invoices, app -> RainTek.
    pub push: PushSettings,
    /// Bills of RainTek's own, RainTek -> app.
    pub awareness: AwarenessSettings,
    /// App's payment method -> text of `Invoice_Payment.PaymentMode`; these are added to the defaults.
    pub payments: BTreeMap<String, String>,
    /// What RainTek's till books beside a bill.
    pub posting: PostingSettings,
    /// The status page.
    pub web: WebSettings,
    /// Backups.
    pub backup: BackupSettings,
    /// When somebody is told.
    pub alerts: AlertSettings,
    /// Where somebody is told.
    pub telegram: TelegramSettings,
    /// The tray and its window.
    pub desktop: DesktopSettings,
    /// The file these were read from, where there was one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            zone: Tz::Asia__Kolkata,
            trial: false,
            watch_only: false,
            engine: EngineHome::default(),
            raintek: RaintekSettings::default(),
            billing: BillingSettings::default(),
            products: ProductsSettings::default(),
            push: PushSettings::default(),
            awareness: AwarenessSettings::default(),
            payments: BTreeMap::new(),
            posting: PostingSettings::default(),
            web: WebSettings::default(),
            backup: BackupSettings::default(),
            alerts: AlertSettings::default(),
            telegram: TelegramSettings::default(),
            desktop: DesktopSettings::default(),
            file: None,
        }
    }
}

/// How to sign in to SQL Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RaintekAuth {
    /// SQL login: `user` and the secret `raintek.password`.
    Sql,
    /// The Windows account this program runs under (Windows only).
    Windows,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// All of it where the server can, else the login only.
    Auto,
    /// All of it or no connection.
    Required,
    /// Nothing, not even the login: for servers too old for TLS 1.2.
    None,
}

/// `[raintek]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RaintekSettings {
    /// `.`, `(local)`, `SHOP-PC`, `.\SQLEXPRESS`, `host,1433`.
    pub server: String,
    /// TCP port; 0 asks the server's browser for a named instance, else 1433.
    pub port: u16,
    /// The shop's database.
    pub database: String,
    /// SQL login.
    pub user: String,
    /// How to sign in.
    pub auth: RaintekAuth,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// RainTek's program folder: its `SQLSettings.dat` and `TempDBSettings.dat` then say server, login and database.
    pub folder: Option<PathBuf>,
}

impl Default for RaintekSettings {
    fn default() -> Self {
        Self {
            server: ".".into(),
            port: 0,
            database: "Raintech_DB1".into(),
            user: "sa".into(),
            auth: RaintekAuth::Sql,
            encryption: Encryption::Auto,
            folder: None,
        }
    }
}

/// `[billing]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BillingSettings {
    /// Where the app answers, or is to answer. Phones reach it by the LAN address on the same port.
    pub url: String,
    /// The address our own PocketBase listens on.
    pub listen: String,
    /// The app's folder (pocketbase program, pb_data, pb_hooks, ...); without one we lay down our own in the data folder.
    pub folder: Option<PathBuf>,
    /// The pocketbase program, where it is not in the app's folder or beside this program.
    pub program: Option<PathBuf>,
    /// Superuser to sign in as where we may not make our own: its password is the secret `billing.password`.
    pub identity: Option<String>,
    /// Our name of a collection -> the app's.
    pub collections: BTreeMap<String, String>,
    /// Our name of a collection -> our name of a field -> the app's.
    pub fields: BTreeMap<String, BTreeMap<String, String>>,
}

impl Default for BillingSettings {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8090".into(),
            listen: "0.0.0.0:8090".into(),
            folder: None,
            program: None,
            identity: None,
            collections: BTreeMap::new(),
            fields: BTreeMap::new(),
        }
    }
}

impl BillingSettings {
    /// The app's name of one of our collections.
    pub fn collection<'a>(&'a self, ours: &'a str) -> &'a str {
        self.collections.get(ours).map_or(ours, String::as_str)
    }

    /// The app's name of one of our fields.
    pub fn field<'a>(&'a self, collection: &str, ours: &'a str) -> &'a str {
        self.fields.get(collection).and_then(|fields| fields.get(ours)).map_or(ours, String::as_str)
    }
}

/// Where `current_stock` comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockSource {
    /// Sum of `Product_OpeningStock.Qty`: as it was set up.
    Opening,
    /// Sum of `Temp_Stock.Qty`: as it is now.
    Live,
}

/// `[products]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductsSettings {
    /// Seconds between two passes.
    pub every_seconds: u64,
    /// Where `current_stock` comes from.
    pub stock: StockSource,
    /// RainTek's product code on which an item that RainTek does not have is booked; without one it is held.
    pub unknown_item: Option<String>,
}

impl Default for ProductsSettings {
    fn default() -> Self {
        Self { every_seconds: 300, stock: StockSource::Opening, unknown_item: None }
    }
}

/// `[push]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushSettings {
    /// Invoices dated before this day are left alone: for an app that was in use before ShopSync.
    pub from_date: Option<NaiveDate>,
    /// Seconds between two looks for invoices the event stream did not tell of.
    pub look_every_seconds: u64,
}

impl Default for PushSettings {
    fn default() -> Self {
        Self { from_date: None, look_every_seconds: 30 }
    }
}

/// `[awareness]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AwarenessSettings {
    /// Seconds between two passes.
    pub every_seconds: u64,
    /// Bills of so many days back are compared in each pass, so that edits and deletions are followed.
    pub window_days: u32,
    /// The first pass brings bills of so many days back.
    pub history_days: u32,
    /// The first pass brings bills from this day on, whatever `history_days` says.
    pub history_from: Option<NaiveDate>,
}

impl Default for AwarenessSettings {
    fn default() -> Self {
        Self { every_seconds: 300, window_days: 45, history_days: 90, history_from: None }
    }
}

/// `[posting]`: off unless asked for. Decides for bills that are not posted yet; one that was posted stays posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostingSettings {
    /// Live stock, stock movements and the products' last prices.
    pub stock: bool,
    /// Ledgers and the customers' last visits.
    pub ledgers: bool,
}

impl PostingSettings {
    /// Everything.
    pub const ALL: Self = Self { stock: true, ledgers: true };

    /// What either asks for.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { stock: self.stock || other.stock, ledgers: self.ledgers || other.ledgers }
    }

    /// What both ask for.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { stock: self.stock && other.stock, ledgers: self.ledgers && other.ledgers }
    }

    /// The rest.
    #[must_use]
    pub fn others(self) -> Self {
        Self { stock: !self.stock, ledgers: !self.ledgers }
    }
}

/// `[web]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebSettings {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self { port: 3030 }
    }
}

/// `[backup]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupSettings {
    /// Whether backups are made.
    pub enabled: bool,
    /// Where they lie; SQL Server's service must be able to write there. Without one: `D:\Backups` where there is a
    /// `D:`, else `backups` in the data folder.
    pub folder: Option<PathBuf>,
    /// The daily times in the shop's zone, beside the one before the day's first write.
    pub times: Vec<NaiveTime>,
    /// Days backups are kept.
    pub keep_days: u32,
    /// Days snapshots of replaced bills are kept.
    pub keep_snapshots_days: u32,
    /// Megabytes of the disk that stay free.
    pub keep_free_mb: u64,
    /// Whether the newest backups are restored for trial each week.
    pub drill: bool,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            folder: None,
            times: vec![NaiveTime::from_hms_opt(21, 0, 0).unwrap_or_default()],
            keep_days: 30,
            keep_snapshots_days: 90,
            keep_free_mb: 1024,
            drill: true,
        }
    }
}

/// `[alerts]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertSettings {
    /// Seconds a side may be away before it is said.
    pub lost_after_seconds: u32,
    /// Hours an invoice may fail before it is said; a held one is said at once.
    pub failing_after_hours: u32,
    /// Seconds between two messages; what happens in between is in one message.
    pub gap_seconds: u32,
    /// When the day is summed up, in the shop's zone: `21:00`. Not at all where it is left out.
    pub closing_time: Option<NaiveTime>,
    /// Called every minute while all is proven well and never otherwise: a service behind it notices silence.
    pub heartbeat_url: Option<String>,
    /// Seconds between two calls of it.
    pub heartbeat_seconds: u32,
    /// Megabytes that the disks of data and backups must have left; fewer are said. 0: never.
    pub disk_free_mb: u64,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            lost_after_seconds: 60,
            failing_after_hours: 24,
            gap_seconds: 60,
            closing_time: None,
            heartbeat_url: None,
            heartbeat_seconds: 60,
            disk_free_mb: 2048,
        }
    }
}

/// `[telegram]`. The bot's token is the secret `telegram.token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TelegramSettings {
    /// Where the Bot API answers.
    pub base_url: String,
    /// Chats that are told; without one nobody is.
    pub chats: Vec<i64>,
    /// Whether these chats may give commands. A bot has one reader of its messages: it must be a bot of its own.
    pub commands: bool,
}

impl Default for TelegramSettings {
    fn default() -> Self {
        Self { base_url: "https://api.telegram.org".into(), chats: Vec::new(), commands: false }
    }
}

/// Where the page opens from the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenIn {
    /// In a window of ours where the system has what it takes, else in the default browser.
    Window,
    /// In the default browser.
    Browser,
}

/// The page's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// The system's.
    System,
    /// English.
    En,
    /// Hindi.
    Hi,
}

/// The page's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// The system's.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// `[desktop]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DesktopSettings {
    /// Whether the tray is started when its user signs in.
    pub autostart: bool,
    /// Whether toasts are shown.
    pub toasts: bool,
    /// Where the page opens.
    pub open_in: OpenIn,
    /// In which language the page speaks.
    pub language: Language,
    /// How the page is drawn.
    pub theme: Theme,
}

impl Default for DesktopSettings {
    fn default() -> Self {
        Self {
            autostart: true,
            toasts: true,
            open_in: OpenIn::Window,
            language: Language::System,
            theme: Theme::System,
        }
    }
}

/// The payment texts RainTek knows, by the app's name.
pub fn default_payments() -> BTreeMap<String, String> {
    [
        ("cash", "By Cash"),
        ("upi", "Google Pay"),
        ("card", "By Debit Card"),
        ("cheque", "By Cheque"),
        ("credit", "Credit Terms - 30 days"),
        ("phonepe", "PhonePe"),
        ("gpay", "Google Pay"),
        ("paytm", "Paytm"),
        ("wallet", "E-Wallet"),
    ]
    .into_iter()
    .map(|(app, raintek)| (app.to_owned(), raintek.to_owned()))
    .collect()
}
