//! What happens in scripted days only, and what stands on both sides at a moment of them.

use chrono::TimeDelta;

use shopsync::model::alert::{ChatText, Incoming};
use shopsync::model::command::Command;
use shopsync::ports::{Controls as _, State as _};

use crate::run::Week;
use crate::sim::lock;
use crate::store::at_once;
use crate::story::Do;

impl Week {
    pub(crate) async fn on_stage(&mut self, what: Do) {
        match what {
            Do::Look => self.look(),
            Do::Chat { chat, text, minutes_late } => self.chat(chat, text, minutes_late),
            Do::Restore { of, copy, confirmed } => self.restore(of, copy, confirmed),
            Do::Preview { of } => {
                if let Some(number) = self.number(of) {
                    self.command(Command::Preview { number });
                }
            }
            Do::Newest { count } => self.newest(count),
            Do::WatchOnly { on } => {
                self.sim.say("person", || format!("watch_only = {on}"));
                self.stop_engine().await;
                lock(&self.sim.truth).watch_only = on;
                self.start_at = Some(self.sim.ms() + 10);
            }
            Do::StoreLost => {
                self.sim.say("pc", || "ShopSync's store is lost".into());
                self.stop_engine().await;
                {
                    let truth = &mut *lock(&self.sim.truth);
                    truth.store = None;
                    // Nobody remembers when the last message went out.
                    truth.messages.clear();
                }
                for end in ["", "-wal", "-shm"] {
                    let mut file = self.store.clone().into_os_string();
                    file.push(end);
                    let _may_not_be_there = std::fs::remove_file(file);
                }
                self.start_at = Some(self.sim.ms() + 10);
            }
            Do::Room { free } => {
                self.sim.say("pc", || format!("{free} bytes are left on the disk"));
                lock(&self.sim.truth).room = free;
            }
            _ => {}
        }
    }

    fn number(&self, of: u32) -> Option<String> {
        let app = lock(&self.sim.app);
        let record = app.of_event.get(&of).and_then(|id| app.records.get(id));
        record.map(|record| record.invoice.number.clone())
    }

    fn chat(&self, chat: i64, text: &'static str, minutes_late: i64) {
        self.sim.say("chat", || format!("{chat} writes {text:?}"));
        let at = self.sim.wall() - TimeDelta::minutes(minutes_late);
        {
            let chats = &mut lock(&self.sim.truth).chats;
            // Never one that was there before: what was fetched is gone from the list.
            let update = 1 + i64::try_from(self.sim.ms()).unwrap_or_default();
            let update = chats.last().map_or(update, |last| update.max(last.update + 1));
            chats.push(Incoming { update, message: Some(ChatText { chat, at, text: text.into() }) });
        }
        self.sim.written.notify_one();
    }

    fn restore(&mut self, of: u32, copy: usize, confirmed: bool) {
        let Some(number) = self.number(of) else { return };
        let truth = &mut *lock(&self.sim.truth);
        let mut copies = truth.archive.iter().filter(|(of, _)| *of == number);
        let Some((_, bill)) = copies.nth(copy) else {
            return self.sim.say("person", || format!("finds no copy {copy} of {number}"));
        };
        let text = serde_json::to_string(bill).expect("rows become JSON");
        let app = lock(&self.sim.app);
        if confirmed && let Some(id) = app.of_event.get(&of) {
            // Whoever puts it back means it to stand there.
            truth.left.push(id.clone());
        }
        drop(app);
        let running = self.running.as_mut();
        let Some(running) = running else { return };
        let (sim, handle) = (std::sync::Arc::clone(&self.sim), running.handle.clone());
        running.commands.spawn(async move {
            let reply = handle.command(Command::RestoreInvoice { copy: text, confirmed }).await;
            sim.say("person", || format!("puts {number} back, confirmed {confirmed}: {reply:?}"));
        });
    }

    fn newest(&mut self, count: usize) {
        let Some(running) = self.running.as_mut() else { return };
        let (sim, handle) = (std::sync::Arc::clone(&self.sim), running.handle.clone());
        running.commands.spawn(async move {
            let begun = std::sync::Mutex::new(Vec::new());
            let told = handle.preview(count, &|number| lock(&begun).push(number.to_owned())).await;
            sim.say("person", || format!("looked at {:?}", lock(&begun)));
            sim.say_all("person", || match told {
                Err(fault) => vec![fault.sentence],
                Ok(previews) => previews
                    .iter()
                    .map(|one| {
                        let tables: Vec<&str> = one.rows.iter().map(|(table, _)| *table).collect();
                        format!("preview {}: {} {}", one.head.number, one.sentence, tables.join(" "))
                    })
                    .collect(),
            });
        });
    }

    /// Tells what stands on both sides, what waits, what was found, one line each.
    fn look(&self) {
        let mut lines = vec!["both sides:".to_owned()];
        {
            let (db, app) = (lock(&self.sim.db), lock(&self.sim.app));
            lines.extend(db.infos.iter().map(|(id, row)| {
                let (number, total) = (row.text("InvoiceNo"), row.decimal("GrandTotal"));
                format!("RainTek {number}: {total} by {} (Inv_ID {id})", row.text("TillID"))
            }));
            lines.extend(app.records.values().map(|record| {
                let (invoice, deleted) = (&record.invoice, if record.deleted { ", deleted" } else { "" });
                format!(
                    "app {}: {} {:?} {}{deleted}",
                    invoice.number, invoice.grand_total, invoice.status, record.sync_status
                )
            }));
        }
        lines.extend(self.open_items().iter().map(|item| {
            let why = item.fault.as_ref().map(|fault| fault.sentence.as_str()).unwrap_or_default();
            format!("open {}: {} {why}", item.number, item.state.name())
        }));
        let store = lock(&self.sim.truth).store.clone();
        let problems = store.map(|store| at_once(store.bill_problems(u32::MAX)).unwrap_or_default());
        lines.extend(problems.into_iter().flatten().map(|bill| {
            format!("problem {}: {:?} {}", bill.number, bill.state, bill.sentence.unwrap_or_default())
        }));
        if let Some(running) = &self.running {
            let snapshot = std::sync::Arc::clone(&running.handle.watch().borrow());
            lines.push(format!("state {}: {}", snapshot.state.name(), snapshot.sentence));
            lines.extend(snapshot.scan.findings.iter().map(|finding| {
                format!("finding {}: {:?} {}", finding.number, finding.kind, finding.sentence)
            }));
            lines.extend(
                snapshot
                    .items
                    .iter()
                    .map(|item| format!("page {}: {} {}", item.number, item.sentence, item.action)),
            );
        }
        self.sim.say_all("stands", || lines);
    }
}
