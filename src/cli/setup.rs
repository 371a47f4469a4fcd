//! `shopsync setup`, `settings` and `diagnostics`: asks the ShopSync that runs, and where none does, works on its data
//! folder by itself. Both are asked in the same words.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON answers nothing for what is not there; asking it never panics"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{client, from_stdin, say, say_error};
use crate::app::{House, desk};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::platform::{Instance, SystemClock, read_settings};
use crate::ports::Clock as _;
use crate::remote::Client;

/// What the page's API takes at most, and a little.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same of a step of the first run.
const PATIENCE_STEP: Duration = Duration::from_secs(160);
/// Between two looks at what is under way.
const LOOK: Duration = Duration::from_millis(200);
/// The largest answer: diagnostics.
const LARGEST: usize = 64 * 1024 * 1024;

/// How to set up.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Every step by itself, without a question: RainTek found and used, the billing app, a check, start.
    #[arg(long)]
    auto: bool,
    /// What came of it as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Look for RainTek on this PC.
    Find,
    /// Use a database that was found, or another one; its password is read from standard input.
    Use {
        /// Its id in the list of `setup find`.
        #[arg(required_unless_present = "server", conflicts_with = "server")]
        id: Option<String>,
        /// The server: . or SHOP-PC or .\SQLEXPRESS.
        #[arg(long)]
        server: Option<String>,
        /// Its TCP port.
        #[arg(long, requires = "server")]
        port: Option<u16>,
        /// The database.
        #[arg(long, requires = "server")]
        database: Option<String>,
        /// The SQL login.
        #[arg(long, requires = "server")]
        user: Option<String>,
    },
    /// Start the billing app, or use the one that runs.
    Billing,
    /// Take the token of a Telegram bot from standard input, and wait until somebody writes "hi" to it.
    Telegram {
        /// Seconds to wait.
        #[arg(long, default_value_t = 120)]
        wait: u64,
    },
    /// Show what would be written for the newest three invoices. Nothing is.
    Check,
    /// End the first run: from here on both sides are kept in step.
    Start,
}

/// What to do about settings.
#[derive(Debug, Subcommand)]
pub(super) enum SettingsCommand {
    /// Show one, or all that differ from the defaults.
    Get {
        /// Its key: raintek.server.
        key: Option<String>,
    },
    /// Change one; without a value it becomes the default again. A password is read from standard input.
    Set {
        /// Its key: raintek.server.
        key: String,
        /// Its value.
        value: Option<String>,
    },
    /// Try a side: raintek, billing or telegram.
    Test {
        /// Which.
        #[arg(value_parser = ["raintek", "billing", "telegram"])]
        what: String,
    },
}

/// Who is asked.
enum Desk {
    Running(Client),
    Here(Router, Arc<House>),
}

impl Desk {
    async fn open(data: &Path, file: PathBuf) -> anyhow::Result<Self> {
        if Instance::is_taken(data) {
            return Ok(Self::Running(client(data, &read_settings(&file)?)?));
        }
        let house = House::open(data, file)?;
        house.look_in().await?;
        Ok(Self::Here(desk(&house)?, house))
    }

    async fn close(self) {
        if let Self::Here(_, house) = self {
            house.close().await;
            house.release();
        }
    }

    async fn bytes(&self, path: &str, body: Option<&Value>) -> anyhow::Result<(u16, Vec<u8>)> {
        match self {
            Self::Running(client) if body.is_none() && path.ends_with(".zip") => {
                Ok((200, client.file(path, PATIENCE).await?))
            }
            Self::Running(client) => {
                let patience = if path.starts_with("/api/setup/") { PATIENCE_STEP } else { PATIENCE };
                let (status, answer) = client.call(path, body, patience).await?;
                Ok((status, answer.to_string().into_bytes()))
            }
            Self::Here(router, _) => {
                let method = if body.is_some() { "POST" } else { "GET" };
                let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
                let request = request.header(header::CONTENT_TYPE, "application/json");
                let request = request.body(Body::from(body.map(Value::to_string).unwrap_or_default()))?;
                let answer = router.clone().oneshot(request).await.context("nobody answers")?;
                let status = answer.status().as_u16();
                Ok((status, to_bytes(answer.into_body(), LARGEST).await?.to_vec()))
            }
        }
    }

    /// The answer; a refusal is an error, about the input where a setting is named.
    async fn ask(&self, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let (status, bytes) = self.bytes(path, body).await?;
        let answer: Value = serde_json::from_slice(&bytes).context("The answer is none.")?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let said = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
        let sentence =
            said("refused").or_else(|| said("error")).unwrap_or_else(|| format!("refused: {status}"));
        match said("field") {
            Some(field) => {
                let sentence = format!("{field}: {sentence}");
                Err(Fault::new(FaultKind::Config, Scope::Item, sentence).into())
            }
            None => Err(anyhow!(sentence)),
        }
    }

    /// Looks for RainTek, and waits until everything was tried.
    async fn find(&self) -> anyhow::Result<Value> {
        self.ask("/api/setup/find", Some(&json!({}))).await?;
        let clock = SystemClock::new();
        loop {
            let view = self.ask("/api/setup", None).await?;
            if view["searching"] == false {
                return Ok(view);
            }
            clock.sleep(LOOK).await;
        }
    }
}

/// Does it; exit code 1 where something did not work, 2 where the input is wrong.
pub(super) async fn run(options: Options, data: &Path, file: PathBuf) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(data, file).await?;
    let done = work(&options, &desk).await;
    desk.close().await;
    let answer = done?;
    let ok = answer.get("ok").and_then(Value::as_bool).unwrap_or(true);
    if options.json {
        say(&serde_json::to_string_pretty(&answer)?);
    } else {
        tell(&answer);
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn work(options: &Options, desk: &Desk) -> anyhow::Result<Value> {
    match &options.step {
        None if options.auto => auto(desk).await,
        None => desk.ask("/api/setup", None).await,
        Some(Step::Find) => desk.find().await,
        Some(Step::Use { id: Some(id), .. }) => {
            // What another process found is not known to this one.
            let known = desk.ask("/api/setup", None).await?;
            if known["candidates"].as_array().is_none_or(Vec::is_empty) {
                desk.find().await?;
            }
            desk.ask("/api/setup/use", Some(&json!({ "id": id }))).await
        }
        Some(Step::Use { server, port, database, user, .. }) => {
            let choice = json!({
                "server": server, "port": port, "database": database, "user": user, "password": from_stdin()?,
            });
            desk.ask("/api/setup/use", Some(&choice)).await
        }
        Some(Step::Billing) => desk.ask("/api/setup/billing", Some(&json!({}))).await,
        Some(Step::Telegram { wait }) => telegram(desk, Duration::from_secs(*wait)).await,
        Some(Step::Check) => desk.ask("/api/setup/check", Some(&json!({}))).await,
        Some(Step::Start) => desk.ask("/api/setup/start", Some(&json!({}))).await,
    }
}

/// Every step, the first that does not work ends it. Nothing is guessed: of two shops' databases none is taken.
async fn auto(desk: &Desk) -> anyhow::Result<Value> {
    let mut steps: Vec<Value> = Vec::new();
    let ended = |steps: Vec<Value>, ok: bool| json!({"ok": ok, "done": ok, "steps": steps});
    let view = desk.ask("/api/setup", None).await?;
    if view["done"] == true {
        return Ok(json!({"ok": true, "done": true, "steps": [], "sentence": "ShopSync is set up already."}));
    }
    if view["raintek"]["ok"] != true {
        let found = desk.find().await?;
        let empty = Vec::new();
        let all = found["candidates"].as_array().unwrap_or(&empty);
        let usable: Vec<&Value> = all.iter().filter(|candidate| candidate["ok"] == true).collect();
        let files: Vec<&&Value> = usable.iter().filter(|one| one["found_by"] == "SQLSettings.dat").collect();
        // What RainTek's own files name is RainTek; anything else only where it is alone.
        let chosen = match (files.as_slice(), usable.as_slice()) {
            ([one], _) => Some(**one),
            ([], [one]) => Some(*one),
            _ => None,
        };
        let Some(chosen) = chosen else {
            let sentence = found["sentence"].as_str().unwrap_or_default();
            steps.push(json!({"step": "raintek", "ok": false, "sentence": sentence, "candidates": all}));
            return Ok(ended(steps, false));
        };
        let used = desk.ask("/api/setup/use", Some(&json!({"id": chosen["id"]}))).await?;
        let ok = used["ok"] == true;
        steps.push(step("raintek", used));
        if !ok {
            return Ok(ended(steps, false));
        }
    }
    for (name, path) in [("billing", "/api/setup/billing"), ("check", "/api/setup/check")] {
        let answer = desk.ask(path, Some(&json!({}))).await?;
        let ok = answer["ok"] == true;
        steps.push(step(name, answer));
        if !ok {
            return Ok(ended(steps, false));
        }
    }
    let started = desk.ask("/api/setup/start", Some(&json!({}))).await?;
    steps.push(step("start", started));
    Ok(ended(steps, true))
}

fn step(name: &str, mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("step".to_owned(), name.into());
    }
    answer
}

async fn telegram(desk: &Desk, wait: Duration) -> anyhow::Result<Value> {
    let taken = desk.ask("/api/setup/telegram", Some(&json!({"token": from_stdin()?}))).await?;
    say_error(taken["sentence"].as_str().unwrap_or_default());
    let clock = SystemClock::new();
    while clock.elapsed() < wait {
        let view = desk.ask("/api/setup", None).await?;
        let telegram = &view["telegram"];
        if telegram["waiting_for_hi"] != true {
            return Ok(
                json!({"ok": !telegram["chat"].is_null(), "chat": telegram["chat"], "sentence": telegram["sentence"]}),
            );
        }
        clock.sleep(LOOK).await;
    }
    Ok(json!({"ok": false, "chat": null, "sentence": "Nobody wrote to the bot."}))
}

/// In words.
fn tell(answer: &Value) {
    let line = |value: &Value| {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            say(text);
        }
    };
    for step in answer["steps"].as_array().into_iter().flatten() {
        tell(step);
    }
    for candidate in answer["candidates"].as_array().into_iter().flatten() {
        let id = candidate["id"].as_str().unwrap_or_default();
        say(&format!("{id}  {}", candidate["label"].as_str().unwrap_or_default()));
        say(&format!("    {}", candidate["sentence"].as_str().unwrap_or_default()));
    }
    for invoice in answer["invoices"].as_array().into_iter().flatten() {
        let text = |key: &str| invoice[key].as_str().unwrap_or_default().to_owned();
        say(&format!("{}  Rs {}  {}", text("number"), text("amount"), text("customer")));
        invoice["words"].as_array().into_iter().flatten().for_each(|words| {
            say(&format!("    {}", words.as_str().unwrap_or_default()));
        });
    }
    line(&answer["sentence"]);
    answer["details"].as_array().into_iter().flatten().for_each(line);
}

/// `shopsync settings`.
pub(super) async fn settings(what: SettingsCommand, data: &Path, file: PathBuf) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(data, file).await?;
    let done = settings_work(what, &desk).await;
    desk.close().await;
    done
}

async fn settings_work(what: SettingsCommand, desk: &Desk) -> anyhow::Result<ExitCode> {
    match what {
        SettingsCommand::Get { key } => {
            let view = desk.ask("/api/settings", None).await?;
            let fields = view["groups"].as_array().into_iter().flatten();
            let fields = fields.flat_map(|group| group["fields"].as_array().into_iter().flatten());
            let shown = |field: &Value| match field["set"].as_bool() {
                Some(true) => "(kept)".to_owned(),
                Some(false) => "(none)".to_owned(),
                None => field["value"].as_str().map_or_else(|| field["value"].to_string(), str::to_owned),
            };
            let mut found = false;
            for field in fields {
                let name = field["key"].as_str().unwrap_or_default();
                if key.as_deref() == Some(name) {
                    say(&shown(field));
                    return Ok(ExitCode::SUCCESS);
                }
                let changed = field["value"] != field["default"] || field["set"] == true;
                if key.is_none() && changed {
                    found = true;
                    say(&format!("{name} = {}", shown(field)));
                }
            }
            match key {
                Some(key) => {
                    Err(Fault::new(FaultKind::Config, Scope::Item, format!("There is no setting {key}."))
                        .into())
                }
                None if found => Ok(ExitCode::SUCCESS),
                None => {
                    say("Every setting is as by default.");
                    Ok(ExitCode::SUCCESS)
                }
            }
        }
        SettingsCommand::Set { key, value } => {
            let secret = crate::model::fields::find(&key).is_some_and(|field| field.is_secret());
            let value = match value {
                Some(_) if secret => {
                    let sentence =
                        "A password must not stand in a command: leave it out and type it, or pipe it in.";
                    return Err(Fault::new(FaultKind::Config, Scope::Item, sentence).into());
                }
                Some(text) => parsed(&key, text),
                None if secret => from_stdin()?.into(),
                None => by_default(&key),
            };
            let saved = desk.ask("/api/settings", Some(&json!({"changes": {key: value}}))).await?;
            say(saved["sentence"].as_str().unwrap_or_default());
            Ok(ExitCode::SUCCESS)
        }
        SettingsCommand::Test { what } => {
            let tested = desk.ask("/api/settings/test", Some(&json!({"what": what, "changes": {}}))).await?;
            tell(&tested);
            Ok(if tested["ok"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// Names and their texts are given as JSON; everything else as it is.
fn parsed(key: &str, text: String) -> Value {
    use crate::model::fields::{Kind, find};
    match find(key).map(|field| field.kind) {
        Some(Kind::Names | Kind::Tables) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        _ => Value::String(text),
    }
}

fn by_default(key: &str) -> Value {
    let usual = serde_json::to_value(crate::model::settings::Settings::default()).unwrap_or_default();
    key.split('.').try_fold(&usual, |value, step| value.get(step)).cloned().unwrap_or_default()
}

/// Keeps a secret in the ShopSync that runs.
pub(super) async fn keep_secret(name: &str, value: &str, data: &Path, file: PathBuf) -> anyhow::Result<()> {
    let desk = Desk::open(data, file).await?;
    desk.ask("/api/settings", Some(&json!({"changes": {name: value}}))).await?;
    Ok(())
}

/// `shopsync diagnostics`.
pub(super) async fn diagnostics(to: Option<PathBuf>, data: &Path, file: PathBuf) -> anyhow::Result<ExitCode> {
    let desk = Desk::open(data, file).await?;
    let done = async {
        match &to {
            None => {
                let saved = desk.ask("/api/diagnostics/save", Some(&json!({}))).await?;
                say(saved["sentence"].as_str().unwrap_or_default());
            }
            Some(path) => {
                let (_, bytes) = desk.bytes("/api/diagnostics.zip", None).await?;
                std::fs::write(path, bytes)
                    .with_context(|| format!("{} cannot be written.", path.display()))?;
                say(&format!("Saved as {}. Names, phones and passwords were taken out.", path.display()));
            }
        }
        Ok(ExitCode::SUCCESS)
    };
    let done = done.await;
    desk.close().await;
    done
}
