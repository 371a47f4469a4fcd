//! Signs of life in the store, what an end without a word left behind, and time that jumps.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Shared, links};
use crate::model::fault::{Fault, Scope};
use crate::sync::alerting::texts::caught_up;
use crate::sync::alive::{Jump, LastSeen, cut_off, cut_off_sentence, jump, jump_sentence};

/// In the store: the last sign of life of an engine.
pub const LAST_SEEN: &str = "last_seen";
/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(60);
/// The same while the store takes nothing: it is to be noticed when it does again.
const BEAT_FAILING: Duration = Duration::from_secs(5);
/// Jumps are noticed within this time.
const LOOK: Duration = Duration::from_secs(5);
/// What the start catches up is looked at this often, until it is told.
const LOOK_STARTING: Duration = Duration::from_millis(500);

/// Looks at what the last run left, and leaves the first sign of life of this one. Before any task runs.
pub(super) async fn restore(shared: &Shared) -> Result<(), Fault> {
    let text = shared.world.state.get(LAST_SEEN).await?;
    // One of another version is as good as none.
    let before = text.and_then(|text| serde_json::from_str::<LastSeen>(&text).ok());
    let cut_off = cut_off(before);
    shared.board.update(|seen| seen.cut_off = cut_off);
    let words = if shared.continued.get().is_some() {
        "The settings were taken over."
    } else {
        "ShopSync was started."
    };
    shared.journal("app", "", words).await;
    if let Some(at) = cut_off {
        tracing::warn!(last_seen = %at, "the run before this one ended without warning");
        shared.journal("app", "", cut_off_sentence(at, shared.now(), shared.rules.zone)).await;
        // Whatever was on its way is looked up on both sides: each send begins with the look-up in RainTek, and each
        // invoice is read anew. None waits for a time that was set before.
        if let Err(fault) = shared.world.state.make_due(None, shared.now()).await {
            shared.note_outage(&fault);
        }
    }
    // A store that takes nothing is shown, and no reason not to start.
    beat(shared, false).await;
    Ok(())
}

/// The last sign of life: it stops because it was asked to.
pub(super) async fn ended(shared: &Shared) {
    beat(shared, true).await;
}

pub(super) async fn run(shared: Arc<Shared>) {
    // One that took over has nothing to tell of a start.
    let mut catch_up = CatchUp { is_told: shared.continued.get().is_some(), ..CatchUp::default() };
    let mut last_beat = shared.world.clock.elapsed();
    while !shared.stopping() {
        let planned = if catch_up.is_told { LOOK } else { LOOK_STARTING };
        let (wall, steady) = (shared.now(), shared.world.clock.elapsed());
        let woken = tokio::select! {
            biased;
            () = shared.world.clock.sleep(planned) => false,
            () = shared.signals.alive.notified() => true,
            () = shared.stop.cancelled() => return,
        };
        let passed = shared.world.clock.elapsed().saturating_sub(steady);
        if let Some(jump) = jump(shared.now() - wall, passed, planned) {
            after(&shared, jump).await;
        }
        let failing = shared.board.seen().store.failing_since.is_some();
        let every = if failing { BEAT_FAILING } else { BEAT };
        let since = shared.world.clock.elapsed().saturating_sub(last_beat);
        if since >= every || (woken && failing && since >= Duration::from_secs(1)) {
            last_beat = shared.world.clock.elapsed();
            beat(&shared, false).await;
        }
        if let Err(fault) = catch_up.look(&shared).await {
            shared.note_outage(&fault);
        }
    }
}

/// Stores a sign of life, which also tells whether the store takes anything at all.
async fn beat(shared: &Shared, in_order: bool) {
    let at = shared.now();
    let text = serde_json::to_string(&LastSeen { at, in_order }).unwrap_or_default();
    match shared.world.state.set(LAST_SEEN, Some(&text)).await {
        Ok(()) => {
            let back = shared.board.store_ok(at);
            shared.board.update(|seen| seen.heartbeat = Some(at));
            if back {
                shared.journal("app", "", "ShopSync can store again; everything goes on.").await;
                links::wake_all(shared);
                shared.signals.alerts.notify_one();
            }
        }
        Err(fault) => {
            let news = shared.board.seen().store.failing_since.is_none();
            if news {
                shared.log("store", &fault);
            }
            shared.board.store_failed(&Fault { scope: Scope::Store, ..fault }, at);
        }
    }
    shared.signals.publish.notify_one();
}

/// After sleep timers are late and sockets dead, and after the clock was set no time of before means anything.
async fn after(shared: &Shared, jump: Jump) {
    tracing::warn!(?jump, "time jumped; everything is looked at again");
    let now = shared.now();
    shared.board.jumped(now);
    shared.world.pos.forget_connections().await;
    if let Err(fault) = shared.world.state.make_due(None, now).await {
        shared.note_outage(&fault);
    }
    if let Some(sentence) = jump_sentence(jump) {
        shared.journal("app", "", sentence).await;
    }
    links::wake_all(shared);
    for signal in [&shared.signals.links, &shared.signals.events, &shared.signals.surroundings] {
        signal.notify_one();
    }
    shared.signals.numbers.notify_one();
    shared.signals.publish.notify_one();
}

/// Tells, once, how many invoices had waited for the start.
#[derive(Debug, Default)]
struct CatchUp {
    /// When the first look for invoices was seen to have ended.
    looked: Option<DateTime<Utc>>,
    is_told: bool,
}

impl CatchUp {
    async fn look(&mut self, shared: &Shared) -> Result<(), Fault> {
        if self.is_told {
            return Ok(());
        }
        let seen = shared.board.seen();
        if self.looked.is_none() && seen.invoices.last_ok.is_some() {
            self.looked = Some(shared.now());
        }
        let Some(looked) = self.looked else { return Ok(()) };
        let found = shared.world.alerts.catch_up(seen.started, looked).await?;
        if found.left == 0 {
            self.is_told = true;
            if found.done > 0 {
                shared.journal("app", "", caught_up(found.done)).await;
            }
        }
        Ok(())
    }
}
