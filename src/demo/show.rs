//! The shop as one looks at it: it bills until Ctrl-C, and now and then something goes wrong.

use std::time::Duration;

use super::phone::{Kind, Phone};
use super::say;
use super::stage::Stage;
use super::till::{self, Till};
use crate::model::status::Snapshot;
use crate::ports::Clock;

/// Between two invoices of the phone.
const BILL_EVERY: Duration = Duration::from_millis(1_700);
/// Between two bills of RainTek's own till, about.
const TILL_PAUSE_MS: u64 = 6_000;
/// Between two lines here.
const LINE_EVERY: Duration = Duration::from_secs(4);
/// How long RainTek is away.
const AWAY: Duration = Duration::from_secs(20);
/// How long an item is unknown to RainTek.
const UNKNOWN: Duration = Duration::from_secs(25);
/// Between two scenes.
const SCENE_EVERY: Duration = Duration::from_secs(40);

/// Runs for ever; the phone stops after `invoices` where that is given.
pub(super) async fn run(stage: &Stage, invoices: Option<u64>, seed: u64) -> anyhow::Result<()> {
    let sandbox = stage.sandbox()?;
    let opening = sandbox.dump().await?;
    let mut phone = Phone::new(stage.phone().await?, seed, stage.clock.clone(), &opening).await?;
    let till = Till::open(sandbox, 0, TILL_PAUSE_MS, seed)?;
    let (ask, mut asked) = tokio::sync::mpsc::channel(1);
    let (answer, mut answers) = tokio::sync::mpsc::channel(1);
    let billing = async {
        let mut made = 0;
        loop {
            if invoices.is_none_or(|invoices| made < invoices) {
                phone.bill(Kind::at(made + seed)).await?;
                made += 1;
                if Some(made) == invoices {
                    say(&format!("The phone has made its {made} invoices; the till goes on."));
                }
            }
            phone.complete_drafts(invoices == Some(made)).await?;
            if asked.try_recv().is_ok() {
                let _ = answer.send(phone.bill_unknown_item().await?).await;
            }
            tokio::time::sleep(BILL_EVERY).await;
        }
        #[expect(unreachable_code, reason = "names the type of the question marks above")]
        anyhow::Ok(())
    };
    let scenes = async {
        for scene in 0_u64.. {
            tokio::time::sleep(SCENE_EVERY).await;
            match scene % 4 {
                0 => {
                    say(&format!("* RainTek's server is switched off for {} s.", AWAY.as_secs()));
                    sandbox.order("refuse").await?;
                    tokio::time::sleep(AWAY).await;
                    sandbox.order("accept").await?;
                    say("* RainTek's server is on again.");
                }
                1 => {
                    say("* The next answer of RainTek is lost after its commit.");
                    sandbox.order("drop_after_commit").await?;
                }
                2 => {
                    let _ = ask.send(()).await;
                    let Some((number, item)) = answers.recv().await else { continue };
                    say(&format!("* {number} sells `{}`, which RainTek does not have.", item.name));
                    tokio::time::sleep(UNKNOWN).await;
                    till::add(sandbox, &item).await?;
                    say(&format!("* The till now has `{}`: {number} goes by itself.", item.name));
                }
                _ => {
                    if let Some(number) = till.edit(sandbox, seed + scene).await? {
                        say(&format!("* The till corrects its own {number}; ShopSync leaves it alone."));
                    }
                    let price = 50 + scene % 50;
                    till::price(sandbox, "P-0001", &format!("{price}.50")).await?;
                    say(&format!("* The till sells P-0001 at Rs {price}.50; the app follows."));
                }
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = billing => ended,
        ended = scenes => ended,
        ended = lines(stage) => ended,
    }
}

/// A line every few seconds.
async fn lines(stage: &Stage) -> anyhow::Result<()> {
    let states = stage.watch()?;
    let mut last = 0;
    loop {
        stage.clock.sleep(LINE_EVERY).await;
        let snapshot = states.borrow().clone();
        say(&line(&snapshot, last));
        last = snapshot.activity.first().map_or(last, |newest| newest.id);
    }
}

/// How things are, and the newest of what happened since the line before.
fn line(snapshot: &Snapshot, last: i64) -> String {
    let counts = &snapshot.counts;
    let news = snapshot.activity.iter().find(|entry| entry.id > last).map_or("", |entry| &entry.sentence);
    let state = format!(
        "{} {} in RainTek, {} waiting, {} held.",
        snapshot.sentence, counts.done_total, counts.waiting, counts.held
    );
    format!("{state} {news}").trim_end().to_owned()
}
