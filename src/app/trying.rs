//! Tries a side with settings that need not be kept yet. Nothing is written anywhere, and no engine waits for it.

use std::sync::Arc;
use std::time::Duration;

use super::candidates::tried;
use super::first_run;
use super::house::House;
use super::office::{Overlay, parted, refused};
use super::work::{self, Ground};
use crate::alerts::Telegram;
use crate::model::alert::Level;
use crate::model::settings::Settings;
use crate::model::setup::{Changes, Refusal, Tested, What};
use crate::platform::SettingsFile;
use crate::ports::Secrets;
use crate::ports::alerts::Messenger as _;
use crate::sync::alerting::texts;

/// A page waits no longer.
const PATIENCE: Duration = Duration::from_secs(13);

/// Tries it.
pub(super) async fn test(house: &Arc<House>, what: What, changes: Changes) -> Result<Tested, Refusal> {
    let (secrets, others) = parted(changes)?;
    let settings = SettingsFile::new(house.ground.file.clone()).with(&others)?.settings;
    let overlay: Arc<dyn Secrets> =
        Arc::new(Overlay { base: Arc::clone(&house.ground.secrets), instead: secrets.clone() });
    let kept = secrets.is_empty() && others.is_empty();
    let test = async {
        match what {
            What::Raintek => raintek(house, &settings, overlay.as_ref()).await,
            What::Billing => billing(house, &settings, overlay, kept).await,
            What::Telegram => telegram(&settings, overlay).await,
        }
    };
    let tested = tokio::time::timeout(PATIENCE, test).await;
    tested.unwrap_or_else(|_| Ok(Tested::not("There was no answer within 13 seconds.")))
}

async fn raintek(house: &House, settings: &Settings, secrets: &dyn Secrets) -> Result<Tested, Refusal> {
    let hint = first_run::set(settings, secrets).map_err(refused)?;
    let today = house.clock().now().with_timezone(&settings.zone).date_naive();
    let candidate = tried(&hint, String::new(), today, !settings.watch_only).await;
    if !candidate.ok {
        return Ok(Tested::not(candidate.sentence).detail(candidate.detail));
    }
    let way = if candidate.via == "pipe" {
        "By a named pipe: the server does not listen to TCP."
    } else {
        "By TCP."
    };
    Ok(Tested::fine(format!("{}. {}", candidate.label, candidate.sentence)).detail(way))
}

/// With what is kept, the app is asked as the engine asks it; with other settings only whether PocketBase is there: a
/// try must not lay anything down.
async fn billing(
    house: &House,
    settings: &Settings,
    secrets: Arc<dyn Secrets>,
    kept: bool,
) -> Result<Tested, Refusal> {
    let running = {
        let inside = house.inside.lock().await;
        inside.work.as_ref().map(|work| Arc::clone(&work.billing)).filter(|_| kept)
    };
    if let Some(billing) = running {
        use crate::ports::Billing as _;
        return Ok(match billing.probe().await {
            Ok(()) => Tested::fine("The billing app answers, and ShopSync is signed in there."),
            Err(fault) => Tested::not(fault.sentence).detail(fault.detail),
        });
    }
    let ground = Ground { secrets, ..house.ground.clone() };
    let billing = work::billing(&ground, settings).map_err(refused)?;
    Ok(if billing.is_up().await {
        Tested::fine("The billing app answers.")
    } else {
        Tested::not(format!("No billing app answers at {}.", settings.billing.url))
    })
}

async fn telegram(settings: &Settings, secrets: Arc<dyn Secrets>) -> Result<Tested, Refusal> {
    let telegram = Telegram::new(&settings.telegram, secrets).map_err(refused)?;
    let bot = match telegram.me().await {
        Ok(bot) => bot,
        Err(fault) => return Ok(Tested::not(fault.sentence).detail(fault.detail)),
    };
    if settings.telegram.chats.is_empty() {
        let sentence = format!("The bot {bot} answers, but nobody is told yet: no chat is set.");
        return Ok(Tested::not(sentence));
    }
    let place = std::env::var("COMPUTERNAME").or_else(|_| std::env::var("HOSTNAME"));
    let text = texts::test(place.as_deref().unwrap_or("this PC"));
    let mut failed = Vec::new();
    for &chat in &settings.telegram.chats {
        if let Err(refused) = telegram.send(chat, &text, Level::Warning).await {
            failed.push(format!("Chat {chat}: {}", refused.fault));
        }
    }
    let sent = settings.telegram.chats.len() - failed.len();
    let sentence = match (sent, failed.len()) {
        (1, 0) => format!("A message was sent by {bot}."),
        (n, 0) => format!("{n} messages were sent by {bot}."),
        (0, _) => format!("{bot} could not send the message."),
        (n, m) => format!("{bot} sent {n} of {} messages.", n + m),
    };
    Ok(Tested { ok: failed.is_empty(), sentence, details: failed })
}
