//! A day on which invoices are not only billed: they are revised, cancelled and paid later, the till edits and deletes
//! bills, its own and now and then one of the app's, and a person answers what ShopSync asks.

mod person;
mod settle;

use std::collections::{BTreeSet, VecDeque};

use anyhow::bail;
use serde_json::{Value, json};

use super::caller::Caller;
use super::chance::Chance;
use super::compare::{Notes, TillBill};
use super::phone::{Change, Order, Phone, Replaced};
use super::stage::Stage;
use super::till::{self, Till};
use super::values::{number, text};

/// What happens after an invoice, in this order, over and over.
const WORK: [Work; 24] = [
    Work::ReviseNewest,
    Work::TillEdits,
    Work::ReviseOlder,
    Work::CancelOlder,
    Work::ReviseTwice,
    Work::Price,
    Work::TillWritesOver,
    Work::Rest,
    Work::ReviseNewest,
    Work::TillDeletes,
    Work::ReviseOlder,
    Work::CancelNewest,
    Work::ThrowDraftAway,
    Work::ReviseThenCancel,
    Work::TillTakesOut,
    Work::Rest,
    Work::ReviseOlder,
    Work::PayLater,
    Work::SwitchOff,
    Work::TillEdits,
    Work::ReviseTwice,
    Work::Rest,
    Work::CancelOlder,
    Work::SwitchOn,
];

/// Products whose price or state changes; `P-0001` and `P-0002` have a scene of their own.
const PRODUCTS: u64 = 40;
/// How many invoices are looked at for one that will do.
const TRIES: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// The invoice of a moment ago: it may be on its way.
    ReviseNewest,
    ReviseOlder,
    /// Twice within a second.
    ReviseTwice,
    CancelNewest,
    CancelOlder,
    /// Cancelled before its revision can have arrived.
    ReviseThenCancel,
    PayLater,
    ThrowDraftAway,
    TillEdits,
    TillDeletes,
    /// The cashier edits a bill that the app made.
    TillWritesOver,
    /// The cashier deletes a bill that the app made.
    TillTakesOut,
    Price,
    SwitchOff,
    SwitchOn,
    Rest,
}

impl Work {
    fn needs_raintek(self) -> bool {
        matches!(
            self,
            Self::TillEdits
                | Self::TillDeletes
                | Self::TillWritesOver
                | Self::TillTakesOut
                | Self::Price
                | Self::SwitchOff
                | Self::SwitchOn
        )
    }
}

/// A bill of the app that the till changed or deleted.
#[derive(Debug, Clone)]
struct Touched {
    number: String,
    /// As the till left it; nothing where it deleted it.
    said: Option<TillBill>,
    /// A person said to write it again.
    answered: bool,
}

/// All that is done beside the billing.
#[derive(Debug)]
pub(super) struct Mixed {
    /// Nobody can work at the till; it is made up for.
    pub(super) raintek_is_away: bool,
    chance: Chance,
    seed: u64,
    owner: Caller,
    /// The app refuses a second completed invoice of a number.
    unique: bool,
    notes: Notes,
    /// Invoices that nobody touches any more, by their place.
    done_with: BTreeSet<usize>,
    left_alone: BTreeSet<String>,
    paid_later: BTreeSet<usize>,
    touched: Vec<Touched>,
    put_off: VecDeque<Work>,
    /// How often each came up, to take turns.
    changes: usize,
    orders: usize,
    baskets: u64,
    /// What ShopSync did or said wrong on the way.
    wrong: Vec<String>,
}

impl Mixed {
    /// For a shop that is open. Every other shop's app keeps no two completed invoices of one number, as the app that
    /// ShopSync lays down; the others allow it, as an app of the shop's own may.
    pub(super) async fn begin(stage: &Stage, seed: u64) -> anyhow::Result<Self> {
        let owner = stage.superuser().await?;
        let unique = seed.is_multiple_of(2);
        if !unique {
            owner.without_indexes("invoices").await?;
        }
        Ok(Self {
            raintek_is_away: false,
            chance: Chance::new(seed, 2),
            seed,
            owner,
            unique,
            notes: Notes::default(),
            done_with: BTreeSet::new(),
            left_alone: BTreeSet::new(),
            paid_later: BTreeSet::new(),
            touched: Vec::new(),
            put_off: VecDeque::new(),
            changes: 0,
            orders: 0,
            baskets: 10_000 * (seed % 1_000 + 1),
            wrong: Vec::new(),
        })
    }

    /// An invoice that has a scene of its own.
    pub(super) fn leave_alone(&mut self, number: &str) {
        self.left_alone.insert(number.to_owned());
    }

    /// What happens after the invoice at this place.
    pub(super) async fn after(
        &mut self,
        stage: &Stage,
        phone: &mut Phone,
        till: &Till,
        place: u64,
    ) -> anyhow::Result<()> {
        self.answer(stage).await?;
        let count = u64::try_from(WORK.len()).unwrap_or(1);
        let at = usize::try_from((place + self.seed * 5) % count).unwrap_or(0);
        let work = WORK.get(at).copied().unwrap_or(Work::Rest);
        if work.needs_raintek() && self.raintek_is_away {
            self.put_off.push_back(work);
            return Ok(());
        }
        self.one(stage, phone, till, work).await?;
        if !self.raintek_is_away
            && let Some(late) = self.put_off.pop_front()
        {
            self.one(stage, phone, till, late).await?;
        }
        Ok(())
    }

    /// What was put off and not made up for yet.
    pub(super) async fn finish(
        &mut self,
        stage: &Stage,
        phone: &mut Phone,
        till: &Till,
    ) -> anyhow::Result<()> {
        while let Some(late) = self.put_off.pop_front() {
            self.one(stage, phone, till, late).await?;
            self.answer(stage).await?;
        }
        Ok(())
    }

    async fn one(&mut self, stage: &Stage, phone: &mut Phone, till: &Till, work: Work) -> anyhow::Result<()> {
        let sandbox = stage.sandbox()?;
        match work {
            Work::Rest => {}
            Work::ReviseNewest => self.revise(phone, true, 1).await?,
            Work::ReviseOlder => self.revise(phone, false, 1).await?,
            Work::ReviseTwice => {
                let newest = self.chance.one_in(2);
                self.revise(phone, newest, 2).await?;
            }
            Work::CancelNewest => self.cancel(phone, true, false).await?,
            Work::CancelOlder => self.cancel(phone, false, false).await?,
            Work::ReviseThenCancel => self.cancel(phone, false, true).await?,
            Work::PayLater => self.pay_later(phone).await?,
            Work::ThrowDraftAway => self.notes.drafts.push(phone.throw_a_draft_away().await?),
            Work::TillEdits => {
                let said: Vec<String> = till.said().into_keys().collect();
                if let Some(number) = self.chance.pick(&said) {
                    till.edit_one(sandbox, number, self.next_basket()).await?;
                    self.notes.edited += 1;
                }
            }
            Work::TillDeletes => self.delete_own(stage, till).await?,
            Work::TillWritesOver => {
                if let Some((at, number)) = self.booked_one(phone).await? {
                    let said = till::write_over(sandbox, &number, self.next_basket()).await?;
                    self.notes.written_over.push((number.clone(), said.clone()));
                    self.done_with.insert(at);
                    self.touched.push(Touched { number, said: Some(said), answered: false });
                }
            }
            Work::TillTakesOut => {
                let booked = self.booked_one(phone).await?;
                if let Some((at, number)) = booked.filter(|(at, _)| phone.is_recent(*at)) {
                    till::delete(sandbox, &number).await?;
                    self.notes.taken_out.push(number.clone());
                    self.done_with.insert(at);
                    self.touched.push(Touched { number, said: None, answered: false });
                }
            }
            Work::Price => {
                let (code, rupees) = (self.product(), self.chance.between(10, 900));
                till::price(sandbox, &code, &format!("{rupees}.25")).await?;
            }
            Work::SwitchOff => till::switch_off(sandbox, &self.product()).await?,
            Work::SwitchOn => till::switch_on(sandbox, &self.product()).await?,
        }
        Ok(())
    }

    async fn revise(&mut self, phone: &mut Phone, newest: bool, times: usize) -> anyhow::Result<()> {
        let Some(at) = self.choose(phone, newest) else { return Ok(()) };
        for _ in 0..times {
            let change = self.next_change();
            let order = self.next_order();
            let replaced = phone.revise(at, change, order).await?;
            self.note(replaced);
        }
        Ok(())
    }

    async fn cancel(&mut self, phone: &mut Phone, newest: bool, revise_first: bool) -> anyhow::Result<()> {
        let Some(at) = self.choose(phone, newest) else { return Ok(()) };
        if revise_first {
            let (change, order) = (self.next_change(), self.next_order());
            let replaced = phone.revise(at, change, order).await?;
            self.note(replaced);
        }
        phone.cancel(at).await?;
        self.done_with.insert(at);
        Ok(())
    }

    async fn pay_later(&mut self, phone: &mut Phone) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let Some(at) = self.choose(phone, false) else { return Ok(()) };
            if let Some((record, paid)) = phone.pay_later(at).await? {
                self.notes.paid.entry(record).or_insert(paid);
                self.paid_later.insert(at);
                return Ok(());
            }
        }
        Ok(())
    }

    /// One of the till's own that the app shows by now; every other time the newest, whose number is free again then.
    async fn delete_own(&mut self, stage: &Stage, till: &Till) -> anyhow::Result<()> {
        let shown = self.owner.all("invoices").await?;
        let is_shown = |number_of: &str, inv_id: &str| {
            shown.iter().any(|record| {
                text(record, "source") == "raintek"
                    && text(record, "status") == "completed"
                    && text(record, "invoice_number") == number_of
                    && number(record, "raintek_inv_id").normalize().to_string() == inv_id
            })
        };
        let own: Vec<(String, TillBill)> =
            till.said().into_iter().filter(|(number_of, bill)| is_shown(number_of, &bill.inv_id)).collect();
        let newest = own.last().filter(|_| self.chance.one_in(2)).cloned();
        let Some((number_of, bill)) = newest.or_else(|| self.chance.pick(&own).cloned()) else {
            return Ok(());
        };
        till.delete(stage.sandbox()?, &number_of).await?;
        self.notes.deleted.push((bill.inv_id, number_of));
        Ok(())
    }

    /// An invoice that stands in RainTek, that the phone is done with, and that was not paid later.
    async fn booked_one(&mut self, phone: &Phone) -> anyhow::Result<Option<(usize, String)>> {
        for _ in 0..TRIES {
            let Some(at) = self.choose(phone, false).filter(|at| !self.paid_later.contains(at)) else {
                continue;
            };
            if phone.is_booked(at).await? {
                return Ok(phone.number_at(at).map(|number_of| (at, number_of.to_owned())));
            }
        }
        Ok(None)
    }

    fn choose(&mut self, phone: &Phone, newest: bool) -> Option<usize> {
        let will_do = |at: usize| {
            let number_of = phone.number_at(at).unwrap_or_default();
            !self.done_with.contains(&at) && !self.left_alone.contains(number_of) && !phone.is_draft(at)
        };
        let all: Vec<usize> = (0..phone.written()).filter(|at| will_do(*at)).collect();
        if newest { all.last().copied() } else { self.chance.pick(&all).copied() }
    }

    fn note(&mut self, replaced: Replaced) {
        if let Some(inv_id) = replaced.inv_id {
            self.notes.booked.insert(replaced.record, inv_id);
        }
    }

    fn next_change(&mut self) -> Change {
        self.changes += 1;
        Change::ALL.get(self.changes % Change::ALL.len()).copied().unwrap_or(Change::Everything)
    }

    fn next_order(&mut self) -> Order {
        self.orders += 1;
        let order = Order::ALL.get(self.orders % Order::ALL.len()).copied().unwrap_or(Order::OldFirst);
        if self.unique && order == Order::NewFirst { Order::AsDraft } else { order }
    }

    fn next_basket(&mut self) -> u64 {
        self.baskets += 1;
        self.baskets
    }

    fn product(&mut self) -> String {
        format!("P-{:04}", self.chance.between(3, PRODUCTS))
    }
}

impl Caller {
    /// Takes the unique indexes off a collection, as of an app that never had any.
    async fn without_indexes(&self, collection: &str) -> anyhow::Result<()> {
        self.set_up(collection, &json!({ "indexes": Vec::<Value>::new() })).await?;
        let now = self.settings_of(collection).await?;
        match now.get("indexes").and_then(Value::as_array) {
            Some(indexes) if indexes.is_empty() => Ok(()),
            _ => bail!("the app keeps its indexes: {now}"),
        }
    }
}
