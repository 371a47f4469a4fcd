//! Commands from chats: read by long polling, given to the engine like those of the page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Alerting;
use super::delivery::Tries;
use crate::engine::{Handle, Shared};
use crate::model::alert::{ChatText, Incoming, Level};
use crate::model::backup::BackupTask;
use crate::model::command::{Command, Reply};
use crate::model::fault::Fault;
use crate::ports::Controls;
use crate::ports::life::resting;
use crate::sync::alerting::texts::clean;
use crate::sync::chat::{Asked, HELP, is_late, parse};

/// How long one look waits for a message.
const POLL: Duration = Duration::from_secs(50);
/// Between two looks that came back at once and empty.
const BREATH: Duration = Duration::from_secs(1);
/// Where reading goes on, and how many were ignored, in the store.
const POSITION: &str = "telegram.position";
/// After a week without messages Telegram numbers them anew.
const POSITION_HOLDS: TimeDelta = TimeDelta::days(6);
/// Characters of one line of an answer.
const LONGEST_LINE: usize = 300;
/// Lines of one answer.
const MOST_LINES: usize = 12;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    next: Option<i64>,
    at: DateTime<Utc>,
    ignored: u64,
}

pub(super) async fn run(shared: Arc<Shared>, alerting: Arc<Alerting>) {
    let mut tries = Tries::default();
    while !shared.stopping() {
        let wait = match poll(&shared, &alerting, &mut tries).await {
            Ok(wait) => wait,
            Err(fault) => {
                shared.log("chat commands", &fault);
                BREATH * 30
            }
        };
        if wait > Duration::ZERO {
            resting(async {
                tokio::select! {
                    biased;
                    () = shared.world.clock.sleep(wait) => {}
                    () = shared.stop.cancelled() => {}
                }
            })
            .await;
        }
    }
}

/// One look. Returns how long to wait before the next.
async fn poll(shared: &Arc<Shared>, alerting: &Alerting, tries: &mut Tries) -> Result<Duration, Fault> {
    let text = shared.world.state.get(POSITION).await?;
    let mut position: Position = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let after = position.next.filter(|_| shared.now() - position.at < POSITION_HOLDS);
    let began = shared.world.clock.elapsed();
    let received = tokio::select! {
        biased;
        received = alerting.messenger.receive(after, POLL) => received,
        () = shared.stop.cancelled() => return Ok(Duration::ZERO),
    };
    let incoming = match received {
        Ok(incoming) => incoming,
        Err(refused) => return Ok(tries.failed(shared, "chat commands", refused).await),
    };
    tries.worked();
    let fresh: Vec<Incoming> =
        incoming.into_iter().filter(|incoming| after.is_none_or(|after| incoming.update >= after)).collect();
    let Some(last) = fresh.iter().map(|incoming| incoming.update).max() else {
        let took = shared.world.clock.elapsed().saturating_sub(began);
        return Ok(BREATH.saturating_sub(took));
    };
    let texts: Vec<ChatText> = fresh.into_iter().filter_map(|incoming| incoming.message).collect();
    let (allowed, strangers): (Vec<_>, Vec<_>) =
        texts.into_iter().partition(|text| alerting.chats.contains(&text.chat));
    position.next = Some(last.saturating_add(1));
    position.at = shared.now();
    position.ignored = position.ignored.saturating_add(u64::try_from(strangers.len()).unwrap_or_default());
    // Stored before anything is done: a command is done once or not at all, never again by a crash.
    let text = serde_json::to_string(&position).unwrap_or_default();
    shared.world.state.set(POSITION, Some(&text)).await?;
    let mut answers: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for text in allowed {
        if let Some(answer) = answer(shared, &text, position.ignored).await {
            answers.entry(text.chat).or_default().push(answer);
        }
    }
    for (chat, lines) in answers {
        let lines = lines.into_iter().take(MOST_LINES).collect::<Vec<_>>().join("\n");
        if let Err(refused) = alerting.messenger.send(chat, &lines, Level::Info).await {
            shared.log("chat commands", &refused.fault);
        }
    }
    Ok(Duration::ZERO)
}

async fn answer(shared: &Arc<Shared>, text: &ChatText, ignored: u64) -> Option<String> {
    let asked = parse(&text.text)?;
    if is_late(text.at, shared.now()) {
        return Some(
            "That command came too late and was not done. Send it again if you still want it.".into(),
        );
    }
    let command = match asked {
        Asked::Status => return Some(status(shared, ignored)),
        Asked::Help => return Some(HELP.to_owned()),
        Asked::Unclear(sentence) => return Some(sentence.to_owned()),
        Asked::Backup => Command::Backup { task: BackupTask::Now },
        Asked::RetryAll => Command::RetryAll,
        Asked::Retry(number) => Command::Retry { number },
        Asked::Pause(time) => Command::Pause { until: shared.now() + time },
        Asked::Resume => Command::Resume,
    };
    tracing::info!(chat = text.chat, ?command, "a command from a chat");
    let reply = Handle::new(Arc::clone(shared)).command(command).await;
    let (Reply::Accepted { sentence } | Reply::Refused { sentence }) = reply;
    Some(clean(&sentence, LONGEST_LINE))
}

fn status(shared: &Shared, ignored: u64) -> String {
    let snapshot = Arc::clone(&shared.snapshot.borrow());
    let mut lines = vec![clean(&snapshot.sentence, LONGEST_LINE), clean(&snapshot.summary, LONGEST_LINE)];
    match ignored {
        0 => {}
        1 => lines.push("1 message of another chat was ignored.".into()),
        n => lines.push(format!("{n} messages of other chats were ignored.")),
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}
