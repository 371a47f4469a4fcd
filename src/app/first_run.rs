//! The first run: RainTek is found and chosen, the billing app started, and what would be written shown.

use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};

use chrono::NaiveDate;
use tokio_util::sync::CancellationToken;

use super::candidates::{settings_of, tried};
use super::house::House;
use super::office::refused;
use super::{RAINTEK_PASSWORD, parts, work};
use crate::engine::Preview;
use crate::model::bill::Value as Cell;
use crate::model::fault::Fault;
use crate::model::settings::{RaintekSettings, Settings};
use crate::model::setup::{
    BillingView, Candidate, Changes, CheckView, Choice, PreviewView, Refusal, RowView, SearchProgress,
    SetupView, TelegramView, Tested,
};
use crate::platform::{ThisPc, lan_addresses, run_elevated};
use crate::ports::State as _;
use crate::ports::setup::Machine as _;
use crate::raintek::{Hint, SwitchOn, find, find_app_folders, switch_on};
use crate::sync::setup::{FirstRun, Steps, next_step};

/// The database that was chosen, in the store; without its password.
const CHOSEN: &str = "setup.raintek";
/// Who is told, in the store.
pub(super) const CHAT: &str = "setup.chat";
/// Invoices that are looked at before anything is written.
const NEWEST: usize = 3;
/// A port of this PC that SQL Server is told to listen on, where its usual one is another instance's.
const USUAL_PORT: u16 = 1433;
const OTHER_PORTS: std::ops::Range<u16> = 14_330..14_340;

/// What the first run knows by now.
#[derive(Debug, Default)]
pub(super) struct Progress {
    searching: bool,
    far: Option<SearchProgress>,
    /// What a step that takes its time is at.
    doing: String,
    found: Vec<(Candidate, Hint)>,
    sentence: String,
    chosen: Option<Candidate>,
    pub(super) telegram: TelegramView,
    /// Ends the wait for somebody to write to the bot.
    pub(super) waiting: Option<CancellationToken>,
    pub(super) stop: CancellationToken,
}

impl House {
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what an earlier run of this program chose.
    pub(super) async fn recall(&self) -> Result<(), Fault> {
        let chosen = self.ground.store.get(CHOSEN).await?;
        let chat = self.ground.store.get(CHAT).await?;
        let mut progress = self.progress();
        progress.chosen = chosen.and_then(|text| serde_json::from_str(&text).ok());
        progress.telegram.chat = chat;
        Ok(())
    }

    pub(super) async fn setup_view(&self) -> SetupView {
        let (settings, first_run, billing) = {
            let inside = self.inside.lock().await;
            let billing = inside.work.as_ref().map(|work| &work.billing).or(inside.billing.as_ref());
            (inside.settings.clone(), inside.first_run, billing.cloned())
        };
        let looked = match billing.map_or_else(|| work::billing(&self.ground, &settings), Ok) {
            Ok(billing) => Ok(billing.is_up().await),
            Err(fault) => Err(fault),
        };
        let token = self.secrets().get(crate::alerts::TOKEN_SECRET).ok().flatten();
        let progress = self.progress();
        let running = matches!(looked, Ok(true));
        let billing = BillingView {
            running,
            sentence: match looked {
                Ok(true) => "The billing app answers.".to_owned(),
                Ok(false) => "The billing app is not running.".to_owned(),
                Err(fault) => fault.sentence,
            },
            lan: lan_links(&settings),
            url: settings.billing.url.clone(),
        };
        let has_chat = !settings.telegram.chats.is_empty();
        let chat = progress.telegram.chat.clone().filter(|_| has_chat);
        let telegram = TelegramView {
            token: token.is_some_and(|token| !token.is_empty()),
            chat: chat.or_else(|| settings.telegram.chats.first().map(i64::to_string)),
            ..progress.telegram.clone()
        };
        let done = first_run == FirstRun::Done;
        let raintek = progress.chosen.as_ref().is_some_and(|chosen| chosen.ok);
        SetupView {
            done,
            step: next_step(Steps { done, raintek, billing: running, alerts: has_chat }).to_owned(),
            raintek: progress.chosen.clone(),
            billing,
            telegram,
            searching: progress.searching,
            progress: progress.far.clone(),
            candidates: progress.found.iter().map(|(candidate, _)| candidate.clone()).collect(),
            sentence: progress.sentence.clone(),
            doing: progress.doing.clone(),
        }
    }

    /// Says what a step is at, until it ends.
    fn doing(&self, sentence: &str) -> Doing<'_> {
        let doing = Doing(self);
        doing.now(sentence);
        doing
    }

    /// Begins to look for RainTek, unless somebody does.
    pub(super) fn begin_search(self: &Arc<Self>) -> Result<(), Refusal> {
        {
            let mut progress = self.progress();
            if progress.searching {
                return Ok(());
            }
            progress.searching = true;
            progress.found.clear();
            progress.sentence.clear();
            progress.far = Some(far("Looking for RainTek's files.", 0, 0));
        }
        let house = Arc::clone(self);
        tokio::spawn(async move {
            house.search().await;
            let mut progress = house.progress();
            progress.searching = false;
            progress.far = None;
            let usable = progress.found.iter().filter(|(candidate, _)| candidate.ok).count();
            progress.sentence = match usable {
                0 => "RainTek's database was not found on this PC. Give its server, login and password by hand.".into(),
                1 => "RainTek's database was found.".into(),
                n => format!("{n} databases of RainTek were found: choose the shop's."),
            };
        });
        Ok(())
    }

    async fn search(self: &Arc<Self>) {
        let house = Arc::clone(self);
        let hints = tokio::task::spawn_blocking(move || {
            let mut looked = 0;
            find(&ThisPc::new(), &mut |_| {
                looked += 1;
                house.progress().far = Some(far("Looking for RainTek's files.", looked, 0));
            })
        });
        let hints = hints.await.unwrap_or_default();
        let settings = self.counting().await;
        let (today, write, encryption) = (self.today(), !settings.watch_only, settings.raintek.encryption);
        let of = u64::try_from(hints.len()).unwrap_or_default();
        for (at, mut hint) in hints.into_iter().enumerate() {
            hint.settings.encryption = encryption;
            let done = u64::try_from(at).unwrap_or_default();
            self.progress().far = Some(far(&format!("Trying {}.", hint.server), done, of));
            let candidate = tried(&hint, format!("c{}", at + 1), today, write).await;
            let mut progress = self.progress();
            progress.found.push((candidate, hint));
            // The best first: what works, then what was found by RainTek's own files.
            progress.found.sort_by_key(|(candidate, _)| !candidate.ok);
        }
    }

    fn today(&self) -> NaiveDate {
        self.ground.clock.now().with_timezone(&self.zone()).date_naive()
    }

    /// What was found under this id.
    fn found(&self, id: &str) -> Result<(Candidate, Hint), Refusal> {
        let progress = self.progress();
        let found = progress.found.iter().find(|(candidate, _)| candidate.id == id).cloned();
        found.ok_or_else(|| Refusal::of("id", "That database is not in the list. Look for RainTek again."))
    }

    /// Takes a database, once it answers and may be written.
    pub(super) async fn choose(&self, choice: Choice) -> Result<Tested, Refusal> {
        let hint = match &choice.id {
            Some(id) => self.found(id)?.1,
            None => by_hand(&choice)?,
        };
        let settings = self.counting().await;
        let hint = Hint {
            settings: RaintekSettings { encryption: settings.raintek.encryption, ..hint.settings.clone() },
            ..hint
        };
        let candidate = tried(&hint, "chosen".to_owned(), self.today(), !settings.watch_only).await;
        if !candidate.ok {
            return Ok(Tested::not(candidate.sentence).detail(candidate.detail));
        }
        let mut changes: Changes =
            settings_of(&hint).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        // RainTek's own file tells it, and tells it anew when it is changed there.
        let password = hint.password.clone().filter(|_| hint.settings.folder.is_none());
        changes.insert(RAINTEK_PASSWORD.to_owned(), password.unwrap_or_default().into());
        let mut inside = self.inside.lock().await;
        self.keep_changes(&mut inside, changes).await?;
        drop(inside);
        let text = serde_json::to_string(&candidate).unwrap_or_default();
        self.ground.store.set(CHOSEN, Some(&text)).await.map_err(refused)?;
        let sentence = format!("{}. {}", candidate.label, candidate.sentence);
        self.progress().chosen = Some(candidate);
        Ok(Tested::fine(sentence))
    }

    /// Has an SQL Server of this PC listen to TCP; without `yes` only what that means is said.
    pub(super) async fn switch_tcp_on(&self, id: &str, yes: bool) -> Result<Tested, Refusal> {
        let (_, hint) = self.found(id)?;
        let instance = hint.instance.clone();
        let instance = instance.ok_or_else(|| Refusal::whole("That server is not one of this PC."))?;
        let taken: Vec<u16> = ThisPc::new().instances().iter().filter_map(|other| other.port).collect();
        let free =
            |port: &u16| !taken.contains(port) && std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = std::iter::once(USUAL_PORT).chain(OTHER_PORTS).find(free);
        let port = port.ok_or_else(|| Refusal::whole("No port is free for SQL Server on this PC."))?;
        let Some(SwitchOn { program, arguments, port, sentence }) = switch_on(&instance, port) else {
            return Err(Refusal::whole("That server's name is not one that ShopSync can use in a command."));
        };
        if !yes {
            return Ok(Tested::fine(sentence));
        }
        let done = tokio::task::spawn_blocking(move || run_elevated(&program, &arguments)).await;
        if let Ok(Err(fault)) = done {
            return Ok(Tested::not(fault.sentence).detail(fault.detail));
        }
        // It listens there from now on, whatever the server's browser says.
        let mut hint = Hint { settings: RaintekSettings { port, ..hint.settings.clone() }, ..hint };
        hint.instance = Some(crate::ports::setup::Instance { tcp: Some(true), port: Some(port), ..instance });
        let write = !self.counting().await.watch_only;
        let candidate = tried(&hint, id.to_owned(), self.today(), write).await;
        let tested = if candidate.ok && candidate.via == "tcp" {
            Tested::fine(format!("SQL Server listens to TCP now. {}", candidate.label))
        } else {
            Tested::not(format!("SQL Server was started again. {}", candidate.sentence))
                .detail(candidate.detail.clone())
        };
        for there in &mut self.progress().found {
            if there.0.id == id {
                *there = (candidate.clone(), hint.clone());
            }
        }
        Ok(tested)
    }

    /// Uses the billing app that runs; else starts the shop's own, where one lies on this PC; else lays down ours.
    pub(super) async fn start_billing(&self) -> Result<Tested, Refusal> {
        let doing = self.doing("Looking for the billing app on this PC.");
        let mut inside = self.inside.lock().await;
        let there = inside.work.as_ref().map(|work| &work.billing).or(inside.billing.as_ref()).cloned();
        let billing = match there {
            Some(billing) => billing,
            None => work::billing(&self.ground, &inside.settings).map_err(refused)?,
        };
        if !billing.is_up().await
            && inside.settings.billing == crate::model::settings::BillingSettings::default()
        {
            let folders =
                tokio::task::spawn_blocking(|| find_app_folders(&ThisPc::new())).await.unwrap_or_default();
            match folders.as_slice() {
                [] => {}
                [folder] => {
                    let changes = [("billing.folder".to_owned(), folder.display().to_string().into())].into();
                    self.keep_changes(&mut inside, changes).await?;
                    drop(inside);
                    return Box::pin(self.start_billing()).await;
                }
                several => {
                    let names: Vec<String> =
                        several.iter().map(|folder| folder.display().to_string()).collect();
                    let sentence = "There is more than one billing app on this PC: start the shop's own, or name its \
                                    folder in the settings (billing.folder).";
                    return Ok(Tested { ok: false, sentence: sentence.to_owned(), details: names });
                }
            }
        }
        if inside.work.is_none() {
            inside.billing = Some(Arc::clone(&billing));
        }
        drop(inside);
        let runs = billing.is_up().await;
        doing.now(if runs { "Setting up the billing app." } else { "Starting the billing app." });
        match billing.set_up().await {
            Ok(report) => {
                let mut tested = Tested::fine("The billing app answers.");
                tested.details = report.added.into_iter().chain(report.advice).collect();
                Ok(tested)
            }
            Err(fault) => Ok(Tested::not(fault.sentence).detail(fault.detail)),
        }
    }

    /// What would be done with the newest invoices.
    pub(super) async fn check(&self) -> Result<CheckView, Refusal> {
        let doing = self.doing("Reading the newest invoices of the billing app.");
        let at = |number: &str| doing.now(&format!("Looking in RainTek what {number} would change there."));
        let looked = match self.switch.engine().await {
            Some(engine) => engine.preview(NEWEST, &at).await,
            None => {
                let inside = self.inside.lock().await;
                let settings = Settings { watch_only: true, ..inside.settings.clone() };
                let billing = match &inside.billing {
                    Some(billing) => Arc::clone(billing),
                    None => work::billing(&self.ground, &settings).map_err(refused)?,
                };
                drop(inside);
                let built = work::build(&self.ground, &settings, billing).map_err(refused)?;
                built.handle().preview(NEWEST, &at).await
            }
        };
        let previews = match looked {
            Ok(previews) => previews,
            Err(fault) => {
                return Ok(CheckView { sentence: fault.sentence, ..CheckView::default() });
            }
        };
        let sentence = match previews.len() {
            0 => "The billing app has no completed invoice yet, so that there is nothing to show.".to_owned(),
            n => format!("Nothing was written. This is what would be done with the newest {n}."),
        };
        Ok(CheckView { invoices: previews.into_iter().map(shown).collect(), sentence, ok: true })
    }

    /// Only an address of this PC's billing app: the page's QR codes are for the shop's phones.
    pub(super) fn qr(&self, url: &str) -> Option<String> {
        let known = self.inside.try_lock().ok().map(|inside| lan_links(&inside.settings))?;
        if !known.iter().any(|link| link == url) {
            return None;
        }
        let code = qrcode::QrCode::new(url).ok()?;
        Some(code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(200, 200).build())
    }
}

/// A step that takes its time: what it is at is shown until it is dropped.
struct Doing<'a>(&'a House);

impl Doing<'_> {
    fn now(&self, sentence: &str) {
        sentence.clone_into(&mut self.0.progress().doing);
    }
}

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        self.now("");
    }
}

fn far(sentence: &str, done: u64, of: u64) -> SearchProgress {
    SearchProgress { sentence: sentence.to_owned(), done, of }
}

/// A database that somebody named.
fn by_hand(choice: &Choice) -> Result<Hint, Refusal> {
    let usual = RaintekSettings::default();
    let text = |given: &Option<String>| {
        given.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let server = text(&choice.server).ok_or_else(|| {
        Refusal::of("raintek.server", "Name the server, as RainTek does: . or SHOP-PC or .\\SQLEXPRESS.")
    })?;
    let settings = RaintekSettings {
        server: server.clone(),
        port: choice.port.unwrap_or(0),
        database: text(&choice.database).unwrap_or(usual.database.clone()),
        user: text(&choice.user).unwrap_or(usual.user.clone()),
        ..usual
    };
    Ok(Hint { settings, password: choice.password.clone(), found_by: "given", server, instance: None })
}

/// Where phones of the shop's network reach the app, where it listens to them at all.
fn lan_links(settings: &Settings) -> Vec<String> {
    let billing = &settings.billing;
    let port = billing.listen.rsplit_once(':').map_or("8090", |(_, port)| port);
    let own = billing.url.contains("127.0.0.1") || billing.url.contains("localhost");
    match billing.listen.rsplit_once(':').map(|(host, _)| host) {
        _ if !own => vec![billing.url.trim_end_matches('/').to_owned()],
        Some("127.0.0.1" | "localhost" | "[::1]") => Vec::new(),
        _ => lan_addresses().into_iter().map(|address| format!("http://{address}:{port}")).collect(),
    }
}

fn shown(preview: Preview) -> PreviewView {
    let text = |cell: &Cell| match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Dec(value) => value.to_string(),
        Cell::Text(value) => value.clone(),
        Cell::Date(value) => value.format("%Y-%m-%d %H:%M:%S").to_string(),
        Cell::Bit(value) => value.to_string(),
        Cell::Bytes(value) => format!("{} bytes", value.len()),
    };
    PreviewView {
        number: preview.head.number,
        customer: preview.head.customer,
        amount: preview.head.grand_total.map(|amount| format!("{amount:.2}")).unwrap_or_default(),
        words: vec![preview.sentence],
        rows: preview
            .rows
            .into_iter()
            .map(|(table, row)| RowView {
                table: table.to_owned(),
                columns: row.0.iter().map(|(name, cell)| (name.clone(), text(cell))).collect(),
            })
            .collect(),
    }
}

/// RainTek as the settings name it, as a place to try.
pub(super) fn set(settings: &Settings, secrets: &dyn crate::ports::Secrets) -> Result<Hint, Fault> {
    let (raintek, password) = parts::raintek_login(settings, secrets)?;
    let server = raintek.server.clone();
    Ok(Hint {
        settings: RaintekSettings { folder: None::<PathBuf>, ..raintek },
        password,
        found_by: "given",
        server,
        instance: None,
    })
}
