//! Rounds of `kill -9`, and both sides compared at the end.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use crate::harness::raintek::PASSWORD;
use crate::harness::rows::assert_booked;
use crate::harness::{SOON, Shop, eventually, now, processes_of, signal};
use crate::outbox::{self, States};
use crate::people::{self, Book, Closed, Phone};

/// Rounds of an ordinary test run; `cargo xtask crash` asks for more.
const ROUNDS: u32 = 20;
/// Longer than any time-out of a statement (30 s): whoever waits for an answer has given up.
const FROZEN: Duration = Duration::from_secs(35);
/// A round in so many freezes a process instead of killing it.
const FREEZE_EVERY: u32 = 40;
/// Everything is in step again, however much has piled up.
const CAUGHT_UP: Duration = Duration::from_secs(240);

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    ShopSync,
    PocketBase,
    RainTek,
}

/// What a run of rounds saw.
#[derive(Debug, Default)]
struct Seen {
    kills: BTreeMap<Victim, u32>,
    frozen: u32,
    /// How often at least one item stood in this state when somebody died.
    at_death: BTreeMap<String, u32>,
    on_its_way: u32,
}

impl Seen {
    fn count(&mut self, victim: Victim, states: &States) {
        *self.kills.entry(victim).or_default() += 1;
        for state in states.keys() {
            *self.at_death.entry(state.clone()).or_default() += 1;
        }
        self.on_its_way += u32::from(outbox::is_on_its_way(states));
    }

    fn all(&self) -> u32 {
        self.kills.values().sum()
    }

    fn tell(&self) {
        eprintln!("killed: {:?}; frozen: {}", self.kills, self.frozen);
        eprintln!("states of the outbox at death, in how many of {} deaths:", self.all());
        for (state, times) in &self.at_death {
            eprintln!("  {state:<11} {times:>4}  {}", "#".repeat((times * 50 / self.all().max(1)) as usize));
        }
        eprintln!("something was being sent, or unknown, in {} of {} deaths", self.on_its_way, self.all());
    }
}

fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

struct Rounds {
    shop: Shop,
    rng: StdRng,
    seen: Seen,
}

impl Rounds {
    /// Somebody is to die: at any moment, or while an invoice is on its way.
    async fn wait_for_the_moment(&mut self) {
        let data = self.shop.data();
        match self.rng.random_range(0..4) {
            0 => tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..900))).await,
            1 => {
                self.shop.raintek.order(json!({"action": "hang"})).await;
                self.until_on_its_way(&data).await;
                tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..60))).await;
            }
            _ => self.until_on_its_way(&data).await,
        }
    }

    async fn until_on_its_way(&self, data: &std::path::Path) {
        let start = now();
        // A phone that waits for its server sends nothing: then any moment is as good.
        while start.elapsed() < Duration::from_secs(5) && !outbox::is_on_its_way(&outbox::states(data)) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn kill(&mut self, victim: Victim) {
        let data = self.shop.data();
        match victim {
            Victim::ShopSync => {
                self.shop.kill();
                self.seen.count(victim, &outbox::states(&data));
                assert_eq!(outbox::integrity(&outbox::file(&data)), "ok", "ShopSync's store");
                self.resume().await;
                self.shop.start().await;
            }
            Victim::PocketBase => {
                signal(self.shop.pocketbase_pid(), "KILL");
                self.seen.count(victim, &outbox::states(&data));
                self.resume().await;
                eventually("ShopSync starts PocketBase again", SOON, async || self.shop.app.is_up().await)
                    .await;
            }
            Victim::RainTek => {
                self.shop.raintek.kill();
                self.seen.count(victim, &outbox::states(&data));
                self.shop.raintek.start().await;
            }
        }
    }

    async fn freeze(&mut self, victim: Victim) {
        let folder = self.shop.app.folder.path();
        let pid = match victim {
            Victim::ShopSync => processes_of("shopsync", folder)[0],
            Victim::PocketBase => self.shop.pocketbase_pid(),
            Victim::RainTek => processes_of("raintek-sandbox", folder)[0],
        };
        self.until_on_its_way(&self.shop.data()).await;
        signal(pid, "STOP");
        // Time itself is what is waited for: a process that stands still for longer than anybody's patience.
        tokio::time::sleep(FROZEN).await;
        signal(pid, "CONT");
        self.seen.frozen += 1;
    }

    async fn resume(&self) {
        self.shop.raintek.order(json!({"action": "resume"})).await;
    }

    async fn one(&mut self, round: u32) {
        if round % FREEZE_EVERY == FREEZE_EVERY / 2 - 1 {
            let victims = [Victim::RainTek, Victim::PocketBase, Victim::ShopSync];
            return self.freeze(victims[(round / FREEZE_EVERY) as usize % victims.len()]).await;
        }
        self.wait_for_the_moment().await;
        let victim = match self.rng.random_range(0..5) {
            0 => Victim::PocketBase,
            1 => Victim::RainTek,
            _ => Victim::ShopSync,
        };
        self.kill(victim).await;
    }
}

/// RainTek saves without a transaction: where its server died, half a bill stands, which ShopSync reports as far as it
/// cannot be shown. The shopkeeper deletes it.
async fn delete_half_bills(shop: &Shop, saved: &[(String, i64)]) {
    let dump = shop.raintek.dump().await;
    for row in dump.rows("InvoiceInfo") {
        let inv_id: i64 = row["Inv_ID"].as_str().unwrap().parse().unwrap();
        if row["TillID"] != "SHOPSYNC" && !saved.iter().any(|(_, id)| *id == inv_id) {
            for (table, key) in [
                ("Invoice_Product", "InvoiceID"),
                ("Invoice_Payment", "InvoiceID"),
                ("InvoiceInfo", "Inv_ID"),
            ] {
                shop.raintek.sql(&format!("DELETE FROM {table} WHERE {key} = {inv_id}")).await;
            }
        }
    }
    shop.look().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_nothing_is_lost_and_nothing_is_doubled() {
    let rounds = u32::try_from(number_of("SHOPSYNC_CRASH_ROUNDS", ROUNDS.into())).unwrap();
    let seed = number_of("SHOPSYNC_CRASH_SEED", 1);
    let mut shop = Shop::new(4);
    shop.settings.awareness.every_seconds = 3;
    shop.settings.push.look_every_seconds = 3;
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    shop.phone().await;

    let (book, closed) = (Book::default(), Closed::default());
    let phone = Phone::sign_in(&shop.app.settings.url).await;
    let billing =
        people::bill_on_the_phone(phone, seed, Duration::from_millis(250), book.clone(), closed.clone());
    let billing = tokio::spawn(billing);
    let till =
        people::bill_at_the_till(shop.raintek.port, PASSWORD, Duration::from_millis(700), closed.clone());
    let till = tokio::spawn(till);

    let mut run = Rounds { shop, rng: StdRng::seed_from_u64(seed), seen: Seen::default() };
    for round in 0..rounds {
        run.one(round).await;
        if rounds > ROUNDS {
            eprint!("\rround {} of {rounds}, {} bills", round + 1, book.lock().unwrap().len());
        }
    }
    let Rounds { mut shop, seen, .. } = run;
    closed.store(true, Ordering::Relaxed);
    billing.await.unwrap();
    let saved = till.await.unwrap();
    seen.tell();

    let book = book.lock().unwrap().clone();
    assert!(book.len() as u64 >= u64::from(rounds), "the phone billed only {} times", book.len());
    delete_half_bills(&shop, &saved).await;
    let wanted = book.len() as u64;
    eventually("everything is in step again", CAUGHT_UP, async || {
        let Some((_, health)) = shop.health().await else { return false };
        if health["state"] != "in_step" {
            return false;
        }
        let counts = shop.status().await["counts"].clone();
        counts["waiting"] == 0 && counts["held"] == 0 && counts["done_total"].as_u64() >= Some(wanted)
    })
    .await;
    shop.look().await;

    let phone = shop.phone().await;
    // What the till saved last comes with the next look.
    for (number, inv_id) in &saved {
        let filter = format!(
            "/api/collections/invoices/records?filter=(invoice_number='{number}' %26%26 status='completed')"
        );
        eventually(&format!("the app shows RainTek's {number} once"), SOON, async || {
            let found = phone.get(&filter).await;
            let record = &found["items"][0];
            found["totalItems"] == 1 && record["source"] == "raintek" && record["raintek_inv_id"] == *inv_id
        })
        .await;
    }
    let dump = shop.raintek.dump().await;
    for (number, kept) in &book {
        let record = phone.read("invoices", &kept.record).await;
        assert_booked(&dump, &kept.bill, &record, 1);
        assert_eq!(dump.bills(number).len(), 1, "{number}");
    }
    assert_eq!(dump.with("InvoiceInfo", "TillID", "SHOPSYNC").len(), book.len(), "bills of ours");
    for (number, _) in &saved {
        assert_eq!(dump.bills(number).len(), 1, "RainTek's own {number}");
    }
    for orphans in ["Invoice_Product", "Invoice_Payment"] {
        assert!(dump.rows(orphans).is_empty(), "{orphans} without a bill");
    }
    let share = f64::from(seen.on_its_way) / f64::from(seen.all());
    assert!(share >= 0.3, "only {share:.2} of the deaths hit an invoice on its way");

    let (data, folder) = (shop.data(), shop.app.folder.path().to_owned());
    shop.stop().await;
    for program in ["shopsync", "pocketbase"] {
        assert_eq!(processes_of(program, &folder), Vec::<u32>::new(), "{program} goes on");
    }
    assert_eq!(outbox::integrity(&outbox::file(&data)), "ok");
    assert_eq!(outbox::integrity(&shop.app.own_app().join("pb_data/data.db")), "ok");
    eprintln!(
        "{} invoices of the app and {} bills of RainTek's own through {} deaths, 0 differences",
        book.len(),
        saved.len(),
        seen.all()
    );
}
