//! The chat that is told is found by itself: somebody writes "hi" to the bot.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::first_run::CHAT;
use super::house::House;
use super::office::{Overlay, refused};
use crate::alerts::updates::Greeting;
use crate::alerts::{TOKEN_SECRET, Telegram};
use crate::model::alert::Level;
use crate::model::setup::{Changes, Refusal, Tested};
use crate::ports::alerts::Messenger as _;
use crate::ports::{Secrets, State as _};
use crate::sync::setup::is_greeting;

/// How long somebody has for it.
const PATIENCE: Duration = Duration::from_secs(600);
/// One call of the Bot API waits so long.
const ROUND: Duration = Duration::from_secs(20);
/// What was written before counts only this far back: anybody may have written to a bot some day.
const RECENT: TimeDelta = TimeDelta::minutes(10);
/// Between two calls that failed.
const AGAIN: Duration = Duration::from_secs(3);

impl House {
    /// Takes a token once Telegram knows it, and waits for somebody to write to the bot.
    pub(super) async fn take_token(self: Arc<Self>, token: String) -> Result<Tested, Refusal> {
        let field = |refusal: Refusal| Refusal { field: Some(TOKEN_SECRET.to_owned()), ..refusal };
        let token = token.trim().to_owned();
        if token.is_empty() {
            return Err(field(Refusal::whole("Paste the token that Telegram's BotFather gave you.")));
        }
        let changes: Changes = [(TOKEN_SECRET.to_owned(), token.into())].into();
        let settings = self.counting().await;
        if settings.telegram.commands && !settings.telegram.chats.is_empty() {
            let sentence = "ShopSync reads the bot's messages as commands. Switch commands off first (telegram.commands).";
            return Err(Refusal::of("telegram.commands", sentence));
        }
        let overlay: Arc<dyn Secrets> =
            Arc::new(Overlay { base: Arc::clone(&self.ground.secrets), instead: changes.clone() });
        let telegram = Telegram::new(&settings.telegram, overlay).map_err(refused)?;
        let bot = match telegram.me().await {
            Ok(bot) => bot,
            Err(fault) => return Err(field(refused(fault))),
        };
        let mut inside = self.inside.lock().await;
        self.keep_changes(&mut inside, changes).await?;
        drop(inside);
        let ended = {
            let mut progress = self.progress();
            let ended = progress.stop.child_token();
            if let Some(before) = progress.waiting.replace(ended.clone()) {
                before.cancel();
            }
            progress.telegram.waiting_for_hi = true;
            progress.telegram.bot = Some(bot.clone());
            progress.telegram.sentence = format!("Open {bot} in Telegram and send it: hi");
            ended
        };
        let house = Arc::clone(&self);
        tokio::spawn(async move { house.wait_for_greeting(telegram, ended).await });
        Ok(Tested::fine(format!("Open {bot} in Telegram and send it: hi")).detail(bot))
    }

    async fn wait_for_greeting(self: Arc<Self>, telegram: Telegram, ended: CancellationToken) {
        let found = tokio::select! {
            biased;
            () = ended.cancelled() => return,
            found = tokio::time::timeout(PATIENCE, self.greeting(&telegram)) => found,
        };
        let sentence = match found {
            Ok(greeting) => self.welcome(&telegram, &greeting).await,
            Err(_) => "Nobody wrote to the bot within ten minutes. Paste the token again to go on waiting."
                .to_owned(),
        };
        let mut progress = self.progress();
        progress.telegram.waiting_for_hi = false;
        progress.telegram.sentence = sentence;
    }

    /// The first greeting that comes.
    async fn greeting(&self, telegram: &Telegram) -> Greeting {
        let (mut after, mut wait) = (None, Duration::ZERO);
        loop {
            let came = match telegram.greetings(after, wait).await {
                Ok(came) => came,
                Err(refused) => {
                    self.progress().telegram.sentence = refused.fault.sentence;
                    self.clock().sleep(refused.retry_after.unwrap_or(AGAIN)).await;
                    continue;
                }
            };
            let first_look = wait.is_zero();
            wait = ROUND;
            for greeting in came {
                after = Some(greeting.message.update + 1);
                let Some(message) = &greeting.message.message else { continue };
                // What comes while it is waited for is new, whatever this PC's clock says.
                let new = !first_look || self.clock().now() - message.at <= RECENT;
                if new && is_greeting(&message.text) {
                    return greeting;
                }
            }
        }
    }

    /// Has this chat told from here on, and tells it so.
    async fn welcome(&self, telegram: &Telegram, greeting: &Greeting) -> String {
        let Some(message) = &greeting.message.message else { return String::new() };
        let name = if greeting.name.is_empty() { message.chat.to_string() } else { greeting.name.clone() };
        let mut inside = self.inside.lock().await;
        let mut chats = inside.settings.telegram.chats.clone();
        if !chats.contains(&message.chat) {
            chats.push(message.chat);
        }
        let changes = [("telegram.chats".to_owned(), chats.into())].into();
        if let Err(refusal) = self.keep_changes(&mut inside, changes).await {
            return refusal.sentence;
        }
        drop(inside);
        if let Err(fault) = self.ground.store.set(CHAT, Some(&name)).await {
            tracing::warn!(detail = fault.detail, "{}", fault.sentence);
        }
        self.progress().telegram.chat = Some(name.clone());
        match telegram
            .send(message.chat, "ShopSync tells you here when something needs you.", Level::Info)
            .await
        {
            Ok(()) => format!("{name} is told from here on. A message was sent."),
            Err(refused) => format!("{name} is told from here on. {}", refused.fault.sentence),
        }
    }
}
