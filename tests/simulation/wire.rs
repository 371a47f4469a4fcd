//! Every call of the engine into the world passes here: this is where it is slow, fails, loses its answer, or is the
//! last thing that the engine ever did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use shopsync::model::fault::{Action, Fault, FaultKind, Scope};
use shopsync::ports::Clock;

use crate::sim::{Sim, lock};
use crate::story::{Call, Side, Wrong};

/// One run of the engine, from its start to its end. After its end nothing of it ever goes on.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) sim: Arc<Sim>,
    alive: Arc<AtomicBool>,
}

impl Wire {
    pub(crate) fn new(sim: &Arc<Sim>) -> Self {
        Self { sim: Arc::clone(sim), alive: Arc::new(AtomicBool::new(true)) }
    }

    pub(crate) fn cut(&self) {
        self.alive.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    /// An await of the engine: perhaps its last.
    pub(crate) async fn pass(&self) {
        let dies = {
            let mut troubles = lock(&self.sim.troubles);
            match troubles.crash.as_mut() {
                Some((calls, _)) if *calls > 1 => {
                    *calls -= 1;
                    false
                }
                Some(_) => self.is_alive(),
                None => false,
            }
        };
        if dies {
            self.cut();
            self.sim.stir.notify_one();
        }
        if !self.is_alive() {
            std::future::pending::<()>().await;
        }
    }

    /// Before (`after` false) or behind the effect of a call.
    pub(crate) async fn at(&self, call: Call, after: bool) -> Result<(), Fault> {
        self.arm();
        if !after {
            *lock(&self.sim.asked).entry(call).or_default() += 1;
        }
        self.pass().await;
        let side = call.side();
        if matches!(side, Some(Side::Pos | Side::App)) {
            // Mostly at once; now and then a PC is busy.
            let ms = match self.sim.below(40) {
                0 => 5 + self.sim.below(400),
                n => n % 4,
            };
            if ms > 0 {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.pass().await;
            }
        }
        let now = self.sim.ms();
        if self.hangs(call, after, now) {
            self.sim.say("fault", || format!("{call:?} never comes back"));
            lock(&self.sim.truth).faults += 1;
            lock(&self.sim.truth).hung = Some(now);
            std::future::pending::<()>().await;
        }
        if let Some(fault) = (!after).then(|| self.refuses(call, now)).flatten() {
            let how = if fault.kind == FaultKind::Transient { "stalls" } else { "is refused" };
            self.sim.say("fault", || format!("{call:?} {how}"));
            lock(&self.sim.truth).faults += 1;
            return Err(fault);
        }
        let asked = self.failing(call, after, now);
        if let Some(hang) = asked {
            lock(&self.sim.truth).faults += 1;
            self.sim
                .say("fault", || format!("{call:?} {}", if after { "loses its answer" } else { "fails" }));
            if hang > 0 {
                tokio::time::sleep(Duration::from_millis(hang)).await;
                self.pass().await;
            }
            return Err(outage(call));
        }
        let troubles = &mut *lock(&self.sim.troubles);
        match side {
            Some(Side::Pos) if troubles.pos_down > now => Err(outage(call)),
            Some(Side::App) if troubles.app_down > now => Err(outage(call)),
            Some(Side::App) if troubles.token > 0 && !after => {
                troubles.token -= 1;
                Err(Fault::new(
                    FaultKind::Config,
                    Scope::Billing,
                    "The billing app does not accept ShopSync's login.",
                ))
            }
            Some(Side::Store) if call == Call::StoreWrite && !after && troubles.disk_full > now => {
                Err(Fault::transient(Scope::Store, "The disk is full: ShopSync cannot store anything.")
                    .action(Action::FixServer))
            }
            None if call == Call::Message && troubles.messages_down > now => {
                Err(Fault::transient(Scope::Item, "Telegram is not answering."))
            }
            _ => Ok(()),
        }
    }

    /// Calls that were told to hang hang once.
    fn hangs(&self, call: Call, after: bool, now: u64) -> bool {
        let mut faults = lock(&self.sim.faults);
        let what = Wrong::Hangs { call, after };
        let at = faults.iter().position(|fault| fault.at <= now && fault.what == what);
        at.map(|at| faults.remove(at)).is_some()
    }

    /// Calls that were told to be refused, or to stall, do so once.
    fn refuses(&self, call: Call, now: u64) -> Option<Fault> {
        let mut faults = lock(&self.sim.faults);
        let (refuses, stalls) = (Wrong::Refuses { call }, Wrong::Stalls { call });
        let is_it = |what: Wrong| what == refuses || what == stalls;
        let at = faults.iter().position(|fault| fault.at <= now && is_it(fault.what))?;
        Some(if faults.remove(at).what == refuses {
            refusal(call)
        } else {
            Fault::transient(Scope::Item, format!("{call:?} stalls."))
        })
    }

    /// Calls that were told to fail fail once.
    fn failing(&self, call: Call, after: bool, now: u64) -> Option<u64> {
        let mut faults = lock(&self.sim.faults);
        let at = faults.iter().position(|fault| {
            fault.at <= now
                && matches!(fault.what, Wrong::Call { call: c, after: a, .. } if c == call && a == after)
        })?;
        match faults.remove(at).what {
            Wrong::Call { hang, .. } => Some(hang),
            _ => None,
        }
    }

    /// Takes up the faults whose time has come.
    fn arm(&self) {
        let now = self.sim.ms();
        let due: Vec<_> = {
            let mut faults = lock(&self.sim.faults);
            let is_due = |fault: &crate::story::Fault| {
                fault.at <= now
                    && !matches!(
                        fault.what,
                        Wrong::Call { .. }
                            | Wrong::Hangs { .. }
                            | Wrong::Refuses { .. }
                            | Wrong::Stalls { .. }
                    )
            };
            let due = faults.iter().copied().filter(is_due).collect();
            faults.retain(|fault| !is_due(fault));
            due
        };
        for fault in due {
            self.sim.say("fault", || format!("{:?}", fault.what));
            lock(&self.sim.truth).faults += 1;
            let troubles = &mut *lock(&self.sim.troubles);
            match fault.what {
                Wrong::Call { .. } | Wrong::Hangs { .. } | Wrong::Refuses { .. } | Wrong::Stalls { .. } => {}
                Wrong::Down { side: Side::Pos, ms } => troubles.pos_down = now + ms,
                Wrong::Down { side: Side::App, ms } => troubles.app_down = now + ms,
                Wrong::Down { side: Side::Store, ms } | Wrong::DiskFull { ms } => {
                    troubles.disk_full = now + ms
                }
                Wrong::CommitLost { effect, late } => troubles.commit_lost = Some((effect, late)),
                Wrong::Deadlock { times } => troubles.deadlocks = times,
                Wrong::Taken { times } => troubles.taken = times,
                Wrong::Token { calls } => troubles.token = calls,
                Wrong::EventsLost { ms } => troubles.events_lost = now + ms,
                Wrong::EventsTwice { ms } => troubles.events_twice = now + ms,
                Wrong::EventsLate { ms, by } => troubles.events_late = (now + ms, by),
                Wrong::StreamBreaks { ms } => troubles.stream_down = now + ms,
                Wrong::Crash { calls, down } => troubles.crash = Some((calls, down)),
                Wrong::MessagesDown { ms } => troubles.messages_down = now + ms,
                Wrong::SlowBackups { ms } => troubles.slow_backups = ms,
            }
        }
    }
}

/// As the real adapters say it.
fn outage(call: Call) -> Fault {
    match call.side() {
        Some(Side::Pos) => Fault::transient(Scope::Pos, "RainTek's database is not answering."),
        Some(Side::Store) => Fault::transient(Scope::Store, "ShopSync's own store does not answer."),
        _ if call == Call::Disk => Fault::transient(Scope::Item, "The disk does not answer."),
        _ if call == Call::Settings => Fault::transient(Scope::Item, "The settings cannot be written."),
        _ if call == Call::Snapshot => {
            Fault::transient(Scope::Store, "The copy of RainTek's rows cannot be written.")
                .action(Action::FixServer)
        }
        _ => Fault::transient(Scope::Billing, "The billing app is not answering."),
    }
}

/// What no other try would change.
fn refusal(call: Call) -> Fault {
    let kind = match call {
        Call::PosBackup | Call::AppBackup | Call::Disk => FaultKind::Permanent,
        _ => FaultKind::Data,
    };
    Fault::new(kind, Scope::Item, format!("{call:?} is refused."))
}

#[async_trait]
impl Clock for Wire {
    fn now(&self) -> DateTime<Utc> {
        self.sim.wall()
    }

    fn elapsed(&self) -> Duration {
        self.sim.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
        self.pass().await;
    }

    fn jitter(&self) -> u32 {
        u32::try_from(self.sim.below(1000)).unwrap_or_default()
    }
}
