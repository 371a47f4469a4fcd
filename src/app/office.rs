//! Settings, as page and command line see and change them.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::house::{Counter, House, Inside};
use super::{diagnostics, trying, work};
use crate::model::fault::Fault;
use crate::model::fields::{self, FIELDS, Field, Kind};
use crate::model::settings::{DesktopSettings, Settings};
use crate::model::setup::{
    Changes, CheckView, Choice, FieldView, GroupView, Refusal, Report, Saved, SavedReport, SettingsView,
    SetupView, Tested, What,
};
use crate::platform::{SettingsFile, read_whole};
use crate::ports::Secrets;
use crate::ports::setup::Office;
use crate::sync::setup::FirstRun;

/// Secrets as they would be.
pub(super) struct Overlay {
    pub(super) base: Arc<dyn Secrets>,
    pub(super) instead: Changes,
}

impl Secrets for Overlay {
    fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        match self.instead.get(name).and_then(Value::as_str) {
            Some(value) => Ok(Some(value.to_owned())),
            None => self.base.get(name),
        }
    }

    fn set(&self, name: &str, value: &str) -> Result<(), Fault> {
        self.base.set(name, value)
    }
}

/// What is kept apart, and the rest, each checked.
pub(super) fn parted(changes: Changes) -> Result<(Changes, Changes), Refusal> {
    let (mut secrets, mut others) = (Changes::new(), Changes::new());
    for (key, given) in changes {
        let field =
            fields::find(&key).ok_or_else(|| Refusal::of(&key, format!("There is no setting {key}.")))?;
        let value = field.read(&given).map_err(|sentence| Refusal::of(&key, sentence))?;
        if field.is_secret() {
            secrets.insert(key, value)
        } else {
            others.insert(key, value)
        };
    }
    Ok((secrets, others))
}

pub(super) fn refused(fault: Fault) -> Refusal {
    if !fault.detail.is_empty() {
        tracing::info!(detail = fault.detail, "{}", fault.sentence);
    }
    Refusal::whole(fault.sentence)
}

impl House {
    fn view(&self) -> Result<SettingsView, Refusal> {
        let file = &self.ground.file;
        let read = read_whole(file).map_err(refused)?;
        let to_json = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
        let (now, usual) = (to_json(&read.settings), to_json(&Settings::default()));
        let mut groups: Vec<GroupView> = Vec::new();
        for field in FIELDS {
            let kept = || {
                self.secrets().get(field.key).map(|secret| secret.is_some_and(|secret| !secret.is_empty()))
            };
            let set = if field.is_secret() { Some(kept().map_err(refused)?) } else { None };
            let view = FieldView {
                key: field.key.to_owned(),
                kind: field.kind.name().to_owned(),
                value: at(&now, field),
                default: at(&usual, field),
                choices: match field.kind {
                    Kind::Choice(choices) => choices.iter().map(|choice| (*choice).to_owned()).collect(),
                    _ => Vec::new(),
                },
                set,
                effect: if field.needs_restart() { "restart" } else { "now" }.to_owned(),
                overridden: read.overridden.contains(&field.key),
            };
            match groups.iter_mut().find(|group| group.id == field.group) {
                Some(group) => group.fields.push(view),
                None => groups.push(GroupView { id: field.group.to_owned(), fields: vec![view] }),
            }
        }
        let restart_needed = self.restart_needed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(SettingsView {
            file: file.display().to_string(),
            groups,
            restart_needed: restart_needed.iter().cloned().collect(),
            unknown: read.unknown,
        })
    }

    /// Keeps changes and has them count. `inside` is held, so that two changes never cross.
    pub(super) async fn keep_changes(&self, inside: &mut Inside, changes: Changes) -> Result<Saved, Refusal> {
        let saved: Vec<String> = changes.keys().cloned().collect();
        let (secrets, others) = parted(changes)?;
        let file = SettingsFile::new(self.ground.file.clone());
        let wanted = file.with(&others)?.settings;
        // What no engine could be made of is refused before anything is kept.
        let overlay = Overlay { base: Arc::clone(&self.ground.secrets), instead: secrets.clone() };
        let ground = work::Ground { secrets: Arc::new(overlay), ..self.ground.clone() };
        let tried =
            work::billing(&ground, &wanted).and_then(|billing| work::build(&ground, &wanted, billing));
        if let Err(fault) = tried {
            let blamed =
                saved.iter().find(|key| fault.sentence.contains(key.as_str())).or_else(|| saved.first());
            return Err(Refusal { field: blamed.cloned(), ..refused(fault) });
        }
        let before = self.keep_secrets(&secrets)?;
        if let Err(refusal) = file.change(&others) {
            let _ = self.keep_secrets(&before);
            return Err(refusal);
        }
        let restart_needed = self.note_restart(&wanted, &saved);
        let shown_only = Settings { desktop: DesktopSettings::default(), file: None, ..wanted.clone() }
            == Settings { desktop: DesktopSettings::default(), file: None, ..inside.settings.clone() };
        let login = secrets.contains_key("billing.password");
        let engines_own = secrets.keys().any(|key| key != "telegram.token");
        if shown_only && !engines_own {
            inside.settings = wanted;
            self.settings_count(&inside.settings);
        } else if let Err(fault) = self.exchange(inside, wanted, login).await {
            self.unable(&fault.sentence);
            return Err(Refusal::whole(format!(
                "The settings are kept, but do not work yet. {}",
                fault.sentence
            )));
        }
        if !saved.is_empty() {
            self.note(&format!("Settings were changed: {}.", saved.join(", "))).await;
        }
        let sentence = if restart_needed.is_empty() {
            "Saved."
        } else {
            "Saved. It counts after a restart of ShopSync."
        };
        Ok(Saved { saved, restart_needed, sentence: sentence.to_owned() })
    }

    /// Keeps secrets; returns what was there.
    fn keep_secrets(&self, secrets: &Changes) -> Result<Changes, Refusal> {
        let mut before = Changes::new();
        for (name, value) in secrets {
            let there = self.secrets().get(name).map_err(refused)?;
            before.insert(name.clone(), there.unwrap_or_default().into());
            if let Err(fault) = self.secrets().set(name, value.as_str().unwrap_or_default()) {
                for (name, value) in &before {
                    let _ = self.secrets().set(name, value.as_str().unwrap_or_default());
                }
                return Err(Refusal { field: Some(name.clone()), ..refused(fault) });
            }
        }
        Ok(before)
    }

    /// Remembers what counts only after a restart.
    fn note_restart(&self, wanted: &Settings, saved: &[String]) -> Vec<String> {
        let served = *self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let mut needed = self.restart_needed.lock().unwrap_or_else(PoisonError::into_inner);
        for key in saved.iter().filter(|key| fields::find(key).is_some_and(Field::needs_restart)) {
            if served.is_none_or(|served| served == wanted.web.port) {
                needed.remove(key);
            } else {
                needed.insert(key.clone());
            }
        }
        needed.iter().cloned().collect()
    }
}

/// A field's value among all settings.
fn at(settings: &Value, field: &Field) -> Value {
    field.key.split('.').try_fold(settings, |value, step| value.get(step)).cloned().unwrap_or_default()
}

impl Counter {
    /// Does it to its end, whoever waits for it.
    async fn whole<T, F>(&self, work: impl FnOnce(Arc<House>) -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        let done = tokio::spawn(work(Arc::clone(&self.0))).await;
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "a request was not done to its end");
            Err(Refusal::whole("That went wrong inside ShopSync. Try again."))
        })
    }
}

#[async_trait]
impl Office for Counter {
    async fn settings(&self) -> Result<SettingsView, Refusal> {
        self.whole(|house| async move { house.view() }).await
    }

    async fn change(&self, changes: Changes) -> Result<Saved, Refusal> {
        self.whole(|house| async move {
            let mut inside = house.inside.lock().await;
            house.keep_changes(&mut inside, changes).await
        })
        .await
    }

    async fn test(&self, what: What, changes: Changes) -> Result<Tested, Refusal> {
        self.whole(move |house| async move { trying::test(&house, what, changes).await }).await
    }

    async fn restart(&self) -> Result<String, Refusal> {
        self.0.ask_for_restart();
        Ok("ShopSync starts itself anew.".to_owned())
    }

    async fn setup(&self) -> SetupView {
        self.0.setup_view().await
    }

    async fn find(&self) -> Result<(), Refusal> {
        self.0.begin_search()
    }

    async fn choose(&self, choice: Choice) -> Result<Tested, Refusal> {
        self.whole(|house| async move { house.choose(choice).await }).await
    }

    async fn switch_tcp_on(&self, id: &str, yes: bool) -> Result<Tested, Refusal> {
        let id = id.to_owned();
        self.whole(move |house| async move { house.switch_tcp_on(&id, yes).await }).await
    }

    async fn pocketbase(&self) -> Option<String> {
        self.0.pocketbase().await
    }

    async fn billing(&self) -> Result<Tested, Refusal> {
        self.whole(|house| async move { house.start_billing().await }).await
    }

    async fn telegram(&self, token: String) -> Result<Tested, Refusal> {
        self.whole(|house| async move { house.take_token(token).await }).await
    }

    async fn telegram_test(&self) -> Result<Tested, Refusal> {
        self.whole(|house| async move { trying::test(&house, What::Telegram, Changes::new()).await }).await
    }

    async fn check(&self) -> Result<CheckView, Refusal> {
        self.whole(|house| async move { house.check().await }).await
    }

    async fn start(&self) -> Result<Tested, Refusal> {
        self.whole(|house| async move {
            let mut inside = house.inside.lock().await;
            if inside.first_run == FirstRun::Done {
                return Ok(Tested::fine("ShopSync is set up already."));
            }
            if !read_whole(&house.ground.file).map_err(refused)?.names_raintek {
                return Err(Refusal::whole("Choose RainTek's database first."));
            }
            house.end_first_run(&mut inside).await.map_err(refused)?;
            drop(inside);
            house.note("The first run is done.").await;
            Ok(Tested::fine("ShopSync keeps both sides in step from here on."))
        })
        .await
    }

    fn qr(&self, url: &str) -> Option<String> {
        self.0.qr(url)
    }

    async fn diagnostics(&self) -> Result<Report, Refusal> {
        self.whole(|house| async move { diagnostics::report(&house).await }).await
    }

    async fn diagnostics_zip(&self) -> Result<Vec<u8>, Refusal> {
        self.whole(|house| async move { diagnostics::zipped(&house).await }).await
    }

    async fn save_diagnostics(&self, path: Option<PathBuf>) -> Result<SavedReport, Refusal> {
        self.whole(|house| async move { diagnostics::save(&house, path).await }).await
    }
}
