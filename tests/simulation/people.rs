//! Who does something before the screen, and the end of a week: everything is well again, and people answer.

use std::sync::Arc;

use chrono::TimeDelta;

use shopsync::model::backup::BackupTask;
use shopsync::model::command::{Command, Reply};
use shopsync::model::fault::Action;
use shopsync::model::outbox::{Item, ItemState};
use shopsync::ports::{Controls as _, State as _};

use crate::run::{FLOW_EVERY, Week};
use crate::sim::lock;
use crate::store::at_once;
use crate::story::Do;
use crate::{quiet, scanned};

/// Whatever hangs is given up and done anew: the app's events, which may be silent for longest, within a quarter of an hour.
const GIVEN_UP: u64 = 17 * 60 * 1000;

impl Week {
    pub(crate) fn command(&mut self, command: Command) {
        let Some(running) = self.running.as_mut() else { return };
        let (sim, handle) = (Arc::clone(&self.sim), running.handle.clone());
        match &command {
            Command::Remove { number } => drop(lock(&sim.truth).to_remove.insert(number.clone())),
            Command::Resume => lock(&sim.truth).paused = None,
            Command::GoLive { yes: true } => lock(&sim.truth).trial.going = true,
            _ => {}
        }
        running.commands.spawn(async move {
            let reply = handle.command(command.clone()).await;
            if let (Command::Pause { until }, Reply::Accepted { .. }) = (&command, &reply) {
                lock(&sim.truth).paused = Some((sim.ms(), *until));
            }
            sim.say("person", || format!("{command:?}: {reply:?}"));
        });
    }

    pub(crate) fn open_items(&self) -> Vec<Item> {
        let store = lock(&self.sim.truth).store.clone();
        let open = store.map(|store| at_once(store.open_items(u32::MAX)).unwrap_or_default());
        open.unwrap_or_default()
    }

    fn renumber(&mut self, nth: u32, while_tried: bool) {
        let waits = |item: &Item| item.action() == Action::Renumber && item.state == ItemState::Held;
        let held: Vec<Item> = self.open_items().into_iter().filter(waits).collect();
        let Some(count) = u32::try_from(held.len()).ok().filter(|count| *count > 0) else { return };
        let number = held[usize::try_from(nth % count).unwrap_or(0)].number.clone();
        if while_tried {
            self.command(Command::Retry { number: number.clone() });
        }
        self.command(Command::Renumber { number });
    }

    pub(crate) async fn happens(&mut self, id: u32, what: Do) {
        let number = |week: &Self, of: u32| {
            let app = lock(&week.sim.app);
            app.of_event.get(&of).and_then(|id| app.records.get(id)).map(|one| one.invoice.number.clone())
        };
        match what {
            Do::Remove { of } => {
                if let Some(number) = number(self, of) {
                    self.command(Command::Remove { number });
                }
            }
            Do::Leave { of } => {
                if let Some(number) = number(self, of) {
                    self.leave(of, number);
                }
            }
            Do::Retry { of } => {
                if let Some(number) = number(self, of) {
                    self.command(Command::Retry { number });
                }
            }
            Do::Rewrite { of } => {
                if let Some(number) = number(self, of) {
                    self.command(Command::Rewrite { number });
                }
            }
            Do::Backup { verify } => {
                let task = if verify { BackupTask::Verify } else { BackupTask::Now };
                self.command(Command::Backup { task });
            }
            Do::Check => self.command(Command::Check),
            Do::Renumber { nth, while_tried } => self.renumber(nth, while_tried),
            Do::GoLive { yes } => self.command(Command::GoLive { yes }),
            Do::Holiday { days } => {
                self.stop_engine().await;
                self.start_at = Some(self.sim.ms() + 10);
                self.sim.say("pc", || format!("{days} days pass"));
                self.sim.jump(TimeDelta::days(days));
            }
            Do::RetryAll => self.command(Command::RetryAll),
            Do::SyncNow => self.command(Command::SyncNow),
            Do::Pause { ms } => {
                let until = self.sim.wall() + TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(0));
                self.command(Command::Pause { until });
            }
            Do::Resume => self.command(Command::Resume),
            Do::Restart { down } => {
                self.stop_engine().await;
                self.start_at = Some(self.sim.ms() + down);
            }
            Do::Night { off, hours } => {
                if off {
                    // Some pull the plug.
                    if hours % 2 == 0 {
                        self.stop_engine().await
                    } else {
                        self.drop_engine().await
                    }
                    self.start_at = Some(self.sim.ms() + 10);
                }
                self.sim.say("pc", || format!("{hours} hours pass"));
                self.sim.jump(TimeDelta::hours(hours));
            }
            Do::Sleep { minutes } => {
                self.sim.say("pc", || format!("sleeps for {minutes} minutes"));
                self.sim.jump(TimeDelta::minutes(minutes));
            }
            Do::ClockSet { seconds } => {
                self.sim.say("pc", || format!("the clock is set by {seconds} s"));
                // A pause that is over stays over.
                let now = self.sim.wall();
                lock(&self.sim.truth).paused.take_if(|(_, until)| *until <= now);
                lock(&self.sim.truth).ahead += TimeDelta::seconds(seconds);
                self.sim.jump(TimeDelta::seconds(seconds));
            }
            Do::Look
            | Do::Chat { .. }
            | Do::Restore { .. }
            | Do::Preview { .. }
            | Do::Newest { .. }
            | Do::WatchOnly { .. }
            | Do::StoreLost
            | Do::Room { .. } => self.on_stage(what).await,
            Do::On(scene) => self.scene(scene).await,
            other => self.hands.does(id, other),
        }
    }

    fn leave(&mut self, of: u32, number: String) {
        let Some(running) = self.running.as_mut() else { return };
        let (sim, handle) = (Arc::clone(&self.sim), running.handle.clone());
        running.commands.spawn(async move {
            // Who leaves it there means the record that waits for the word, whichever this is.
            let store = lock(&sim.truth).store.clone();
            let open = store.map(|store| at_once(store.open_items(u32::MAX)).unwrap_or_default());
            let asked = open
                .into_iter()
                .flatten()
                .find(|item| item.number == number && item.action() == Action::RemoveOrLeave);
            let Some(item) = asked else { return sim.say("person", || format!("{number}: {of} not asked")) };
            lock(&sim.truth).left.push(item.record_id);
            let reply = handle.command(Command::Leave { number: number.clone() }).await;
            sim.say("person", || format!("leaves {number}: {reply:?}"));
        });
    }

    /// Everything is well again; then both sides are compared.
    pub(crate) async fn quiet(&mut self) {
        self.sim.say("sim", || "everything is well again".into());
        self.sim.heal();
        if self.running.is_none() {
            self.start();
        }
        self.command(Command::Resume);
        if self.hangs {
            self.later(GIVEN_UP).await;
        }
        for _ in 0..30 {
            if self.hands.are_done() {
                break;
            }
            self.later(5_000).await;
        }
        self.later(100_000).await;
        self.decide();
        self.later(50_000).await;
        for _ in 0..3 {
            if self.failed() {
                return;
            }
            // Whatever is held is tried again within the hour.
            self.sim.say("pc", || "an hour passes".into());
            self.sim.jump(TimeDelta::minutes(61));
            self.later(2 * FLOW_EVERY + 20_000).await;
            self.decide();
            let store = lock(&self.sim.truth).store.clone();
            if store.is_some_and(|store| quiet::differences(&self.sim, &store).is_empty()) {
                return self.all_is_compared().await;
            }
        }
        let store = lock(&self.sim.truth).store.clone();
        let Some(store) = store else { return };
        let differences = quiet::differences(&self.sim, &store);
        if !differences.is_empty() && !self.failed() {
            self.sim.fail(format!("the two sides differ:\n  {}", differences.join("\n  ")));
        }
    }

    /// A person answers what is asked.
    fn decide(&mut self) {
        let store = lock(&self.sim.truth).store.clone();
        let Some(store) = store else { return };
        for item in at_once(store.open_items(u32::MAX)).unwrap_or_default() {
            if item.action() == Action::RemoveOrLeave {
                if item.seq % 2 == 0 {
                    self.command(Command::Remove { number: item.number.clone() });
                } else {
                    self.leave(0, item.number.clone());
                }
            }
            if item.action() == Action::Renumber && item.seq % 3 == 0 {
                self.command(Command::Renumber { number: item.number.clone() });
            }
        }
        for bill in at_once(store.bill_problems(u32::MAX)).unwrap_or_default() {
            if bill.state.is_mismatch() && bill.inv_id % 2 == 0 {
                self.command(Command::Rewrite { number: bill.number });
            }
        }
    }

    /// The product's own look at every invoice finds what there is to be found, and nothing else.
    async fn all_is_compared(&mut self) {
        self.command(Command::Check);
        for _ in 0..60 {
            self.later(2_000).await;
            let Some(running) = self.running.as_ref() else { return };
            let snapshot = Arc::clone(&running.handle.watch().borrow());
            let scan = &snapshot.scan;
            if self.failed() {
                return;
            }
            if scan.asked > 0 && scan.answered == scan.asked {
                let Some(store) = lock(&self.sim.truth).store.clone() else { return };
                let wrong = scanned::wrong(&self.sim, &store, &snapshot);
                if let Some(wrong) = wrong.first() {
                    self.sim.fail(format!("every invoice was compared, and {wrong}"));
                }
                return;
            }
        }
        self.sim.fail("not every invoice is compared within two minutes");
    }
}
