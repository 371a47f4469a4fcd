//! `shopsync alerts test`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::{say, say_error};
use crate::alerts::Telegram;
use crate::model::alert::Level;
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::settings::Settings;
use crate::platform::FileSecrets;
use crate::ports::alerts::Messenger as _;
use crate::sync::alerting::texts;

/// Sends a message to every chat, and says what became of each.
pub(super) async fn test(data: &Path, settings: &Settings) -> anyhow::Result<ExitCode> {
    if settings.telegram.chats.is_empty() {
        let sentence = "No chat is set: write chats = [...] under [telegram] in settings.toml.";
        return Err(Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixSettings).into());
    }
    let telegram = Telegram::new(&settings.telegram, Arc::new(FileSecrets::new(data)))?;
    let place = std::env::var("COMPUTERNAME").or_else(|_| std::env::var("HOSTNAME"));
    let text = texts::test(place.as_deref().unwrap_or("this PC"));
    let mut failed = false;
    for &chat in &settings.telegram.chats {
        match telegram.send(chat, &text, Level::Warning).await {
            Ok(()) => say(&format!("Sent to chat {chat}.")),
            Err(refused) => {
                failed = true;
                say_error(&format!("Chat {chat}: {}", refused.fault));
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
