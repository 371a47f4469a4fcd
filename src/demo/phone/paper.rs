//! What became of an invoice after it was written: revised, cancelled, paid later.

use anyhow::Context;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::bill::Bill;
use super::change::{self, Change};
use super::customers::Buyer;
use super::kind::Kind;
use super::send::{self, Way};
use super::{Phone, ZONE};
use crate::demo::values::{json_number, number, text};
use crate::ports::Clock;

/// ShopSync follows RainTek's bills of so many days back, and some more; older ones are for its weekly scan.
const RECENT_DAYS: i64 = 40;

/// An invoice number with all that was ever written under it.
#[derive(Debug, Clone)]
pub(super) struct Paper {
    pub(super) number: String,
    /// As the phone writes it.
    pub(super) date: String,
    /// The newest last.
    pub(super) versions: Vec<Version>,
}

/// One content of an invoice, in a record of its own.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) record: String,
    pub(super) buyer: Buyer,
    pub(super) bill: Bill,
}

/// In which order the app gives up the old record and makes the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Order {
    OldFirst,
    /// Only in an app that allows two completed invoices of one number for a moment.
    NewFirst,
    /// In one transaction.
    Together,
    /// The new one as a draft, then the old one is given up, then the draft is completed.
    AsDraft,
}

impl Order {
    /// In the order in which they come up.
    pub(in crate::demo) const ALL: [Self; 4] =
        [Self::OldFirst, Self::NewFirst, Self::Together, Self::AsDraft];
}

/// A record that the phone gave up, as the app showed it a moment before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::demo) struct Replaced {
    pub(in crate::demo) record: String,
    /// `raintek_inv_id`, where it stood in RainTek.
    pub(in crate::demo) inv_id: Option<String>,
}

impl Phone {
    /// How many invoices it wrote.
    pub(in crate::demo) fn written(&self) -> usize {
        self.papers.len()
    }

    /// The number of the invoice at this place.
    pub(in crate::demo) fn number_at(&self, at: usize) -> Option<&str> {
        self.papers.get(at).map(|paper| paper.number.as_str())
    }

    /// Whether it is a draft that is still to be completed.
    pub(in crate::demo) fn is_draft(&self, at: usize) -> bool {
        let newest = self.papers.get(at).and_then(|paper| paper.versions.last());
        newest.is_some_and(|version| self.drafts.iter().any(|(record, _)| *record == version.record))
    }

    /// Whether it is dated within the last weeks.
    pub(in crate::demo) fn is_recent(&self, at: usize) -> bool {
        let day = self.papers.get(at).and_then(|paper| paper.date.get(..10)?.parse::<NaiveDate>().ok());
        let today = self.clock.now().with_timezone(&ZONE).date_naive();
        day.is_some_and(|day| (today - day).num_days() < RECENT_DAYS)
    }

    /// Whether the app shows its newest content as standing in RainTek.
    pub(in crate::demo) async fn is_booked(&self, at: usize) -> anyhow::Result<bool> {
        let record = self.newest(at)?.record.clone();
        Ok(self.look_at(&record).await?.inv_id.is_some())
    }

    /// Gives the invoice another content in a record of its own.
    pub(in crate::demo) async fn revise(
        &mut self,
        at: usize,
        change: Change,
        order: Order,
    ) -> anyhow::Result<Replaced> {
        let paper = self.papers.get(at).context("no such invoice")?.clone();
        let old = paper.versions.last().context("an invoice without a content")?;
        let (bill, buyer) = self.changed(&paper, old, change).await?;
        let record = self.chance.record_id();
        let names = send::Names {
            record: &record,
            number: &paper.number,
            date: &paper.date,
            customer: &buyer.record,
        };
        let mut records = send::records(&mut self.chance, Kind::Plain, &bill, names);
        if self.chance.one_in(3) {
            records = records.backwards();
        }
        let replaced = self.look_at(&old.record).await?;
        let revised = json!({ "status": "revised" });
        let (caller, chance) = (self.caller.clone(), &mut self.chance);
        let apart = if chance.one_in(2) { Way::HeadFirst } else { Way::Batch };
        match order {
            Order::Together if records.fit_one_batch() => {
                let change = ("invoices", old.record.as_str(), revised, true);
                caller.batch_with(&records.all(), Some(change)).await?;
            }
            Order::OldFirst | Order::Together => {
                caller.change("invoices", &old.record, &revised).await?;
                send::write_in(&caller, chance, apart, records).await?;
            }
            Order::NewFirst => {
                send::write_in(&caller, chance, apart, records).await?;
                caller.change("invoices", &old.record, &revised).await?;
            }
            Order::AsDraft => {
                send::write_in(&caller, chance, Way::Draft, records).await?;
                caller.change("invoices", &old.record, &revised).await?;
                caller.change("invoices", &record, &json!({ "status": "completed" })).await?;
            }
        }
        let version = Version { record, buyer, bill };
        if let Some(paper) = self.papers.get_mut(at) {
            paper.versions.push(version);
        }
        Ok(replaced)
    }

    /// Cancels the invoice.
    pub(in crate::demo) async fn cancel(&mut self, at: usize) -> anyhow::Result<Replaced> {
        let record = self.newest(at)?.record.clone();
        let replaced = self.look_at(&record).await?;
        self.caller.change("invoices", &record, &json!({ "status": "cancelled" })).await?;
        Ok(replaced)
    }

    /// Notes a receipt that came after the invoice, where it stands in RainTek already; returns the record and what it
    /// was booked with.
    pub(in crate::demo) async fn pay_later(
        &mut self,
        at: usize,
    ) -> anyhow::Result<Option<(String, Decimal)>> {
        let (record, method) = (self.newest(at)?.record.clone(), self.newest(at)?.bill.method);
        let shown = self.caller.one("invoices", &record).await?;
        let (total, paid) = (number(&shown, "grand_total"), number(&shown, "amount_paid"));
        if text(&shown, "sync_status") != "synced" || method == "split" {
            return Ok(None);
        }
        let now = if paid < total { total } else { Decimal::ONE };
        self.caller.change("invoices", &record, &json!({ "amount_paid": json_number(now) })).await?;
        Ok(Some((record, paid)))
    }

    /// Begins an invoice, and gives it up before it is one.
    pub(in crate::demo) async fn throw_a_draft_away(&mut self) -> anyhow::Result<String> {
        let day = self.clock.now().with_timezone(&ZONE).date_naive();
        let number = self.next_number(true, day);
        let bill = super::bill::make_up(&mut self.chance, Kind::Draft, &self.goods, false, false);
        let record = self.chance.record_id();
        let date = day.format("%Y-%m-%d 00:00:00.000Z").to_string();
        let names = send::Names { record: &record, number: &number, date: &date, customer: "" };
        let records = send::records(&mut self.chance, Kind::Draft, &bill, names);
        send::write_in(&self.caller, &mut self.chance, Way::Draft, records).await?;
        self.caller.delete("invoices", &record).await?;
        Ok(number)
    }

    /// Tries to change and to delete what only RainTek may; one sentence for each that the app allows.
    pub(in crate::demo) async fn meddle(
        &self,
        invoice: &Value,
        item: Option<&Value>,
    ) -> anyhow::Result<Vec<String>> {
        let id = text(invoice, "id");
        let mut allowed = Vec::new();
        let mut tries = vec![
            ("invoices", id, Some(json!({ "notes": "A phone was here" }))),
            ("invoices", id, Some(json!({ "status": "cancelled" }))),
            ("invoices", id, None),
        ];
        if let Some(item) = item {
            tries.push(("invoice_items", text(item, "id"), Some(json!({ "quantity": 99 }))));
            tries.push(("invoice_items", text(item, "id"), None));
        }
        for (collection, id, body) in tries {
            if !self.caller.is_refused(collection, id, body.as_ref()).await? {
                let what = if body.is_some() { "change" } else { "delete" };
                allowed.push(format!(
                    "{}: the app lets a phone {what} RainTek's own bill ({collection}).",
                    text(invoice, "invoice_number")
                ));
            }
        }
        Ok(allowed)
    }

    fn newest(&self, at: usize) -> anyhow::Result<&Version> {
        let paper = self.papers.get(at).context("no such invoice")?;
        paper.versions.last().context("an invoice without a content")
    }

    async fn look_at(&self, record: &str) -> anyhow::Result<Replaced> {
        let shown = self.caller.one("invoices", record).await?;
        let synced = text(&shown, "sync_status") == "synced";
        let inv_id = synced.then(|| number(&shown, "raintek_inv_id").normalize().to_string());
        Ok(Replaced { record: record.to_owned(), inv_id })
    }

    async fn changed(
        &mut self,
        paper: &Paper,
        old: &Version,
        change: Change,
    ) -> anyhow::Result<(Bill, Buyer)> {
        let buyer = old.buyer.clone();
        let chance = &mut self.chance;
        let bill = match change {
            Change::Nothing => old.bill.clone(),
            Change::FewerLines | Change::MoreLines => {
                let fewer = change == Change::FewerLines;
                change::lines(chance, &old.bill, &self.goods, buyer.other_state, fewer)
            }
            Change::Payments => change::payments(chance, &old.bill),
            Change::Everything => change::everything(chance, &old.bill, &self.goods, buyer.other_state),
            Change::FirstAgain => {
                let first = paper.versions.first().unwrap_or(old);
                return Ok((first.bill.clone(), first.buyer.clone()));
            }
            Change::Customer => {
                let kind = *chance
                    .pick(&[Kind::NewCustomer, Kind::KnownCustomer, Kind::WalkIn])
                    .unwrap_or(&Kind::WalkIn);
                let buyer = self.customers.choose(&self.caller, &mut self.chance, kind, self.seed).await?;
                let stays = buyer.other_state == old.buyer.other_state;
                let bill = if stays {
                    old.bill.clone()
                } else {
                    change::everything(&mut self.chance, &old.bill, &self.goods, buyer.other_state)
                };
                return Ok((bill, buyer));
            }
        };
        Ok((bill, buyer))
    }
}
