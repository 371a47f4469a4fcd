//! The shop's phone: an ordinary user of the billing app that bills all the time.

mod bill;
mod change;
mod customers;
mod kind;
mod paper;
mod send;

use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use self::bill::{Bill, Good};
pub(super) use self::change::Change;
use self::customers::{Buyer, Customers};
pub(super) use self::kind::Kind;
pub(super) use self::paper::{Order, Replaced};
use self::paper::{Paper, Version};
use super::caller::Caller;
use super::chance::Chance;
use super::values::{flag, number, text};
use crate::platform::SystemClock;
use crate::ports::Clock;

/// The shop's zone.
const ZONE: Tz = Tz::Asia__Kolkata;
/// How many invoices a draft lies before it is completed, at most.
const DRAFT_LIES: u64 = 6;

/// The phone.
#[derive(Debug)]
pub(super) struct Phone {
    caller: Caller,
    chance: Chance,
    seed: u64,
    clock: Arc<SystemClock>,
    goods: Vec<Good>,
    customers: Customers,
    /// Last numbers used, GST and NON GST.
    last: [u64; 2],
    /// Invoices written so far, drafts included.
    made: u64,
    /// Long bills come once in a while only.
    long_ones: u64,
    /// Records still to be completed, and after which invoice.
    drafts: Vec<(String, u64)>,
    /// What it wrote, in the order in which it did.
    papers: Vec<Paper>,
}

/// An invoice number of the phone's own series: RainTek's till numbers `GST-` and `SINV-` itself, and until ShopSync
/// follows the counters two sides must not take the same one.
fn invoice_number(gst_bill: bool, n: u64, day: NaiveDate) -> String {
    let prefix = if gst_bill { "APP" } else { "APPN" };
    let start = if day.month() >= 4 { day.year() } else { day.year() - 1 };
    format!("{prefix}-{n:04}-{start}/{:02}", (start + 1).rem_euclid(100))
}

impl Phone {
    /// A phone that shows the app's products; `dump` is RainTek as the day began.
    pub(super) async fn new(
        caller: Caller,
        seed: u64,
        clock: Arc<SystemClock>,
        dump: &Value,
    ) -> anyhow::Result<Self> {
        let goods: Vec<Good> = caller
            .all("products")
            .await?
            .iter()
            .filter(|product| flag(product, "active"))
            .map(|product| Good {
                id: text(product, "id").to_owned(),
                code: text(product, "product_code").to_owned(),
                name: text(product, "name").to_owned(),
                hsn: text(product, "hsn_code").to_owned(),
                barcode: text(product, "barcode").to_owned(),
                unit: text(product, "unit").to_owned(),
                price: number(product, "retail_price"),
                mrp: number(product, "mrp"),
                gst: number(product, "gst_rate"),
            })
            .collect();
        if goods.is_empty() {
            bail!("the billing app shows no products");
        }
        Ok(Self {
            caller,
            chance: Chance::new(seed, 1),
            seed,
            clock,
            goods,
            customers: Customers::new(dump),
            last: [0; 2],
            made: 0,
            long_ones: 0,
            drafts: Vec::new(),
            papers: Vec::new(),
        })
    }

    /// Bills once; returns the number. A draft counts, though it is completed only later.
    pub(super) async fn bill(&mut self, kind: Kind) -> anyhow::Result<String> {
        let buyer = self.customers.choose(&self.caller, &mut self.chance, kind, self.seed).await?;
        let long = kind == Kind::Long && self.long_ones.is_multiple_of(4);
        self.long_ones += u64::from(kind == Kind::Long);
        let bill = bill::make_up(&mut self.chance, kind, &self.goods, buyer.other_state, long);
        self.write(kind, bill, buyer).await
    }

    /// Sells something that RainTek does not have: the phone adds it to the app and bills it at once. Returns the
    /// invoice number, and the item's code, name and price.
    pub(super) async fn bill_unknown_item(&mut self) -> anyhow::Result<(String, UnknownItem)> {
        let n = self.made + 1;
        let item = UnknownItem {
            code: format!("PH-{n:04}"),
            name: format!("Clay lamp, set of {n}"),
            price: Decimal::from(40 + n % 50),
            gst: Decimal::from(12),
        };
        let good = Good {
            id: self.chance.record_id(),
            code: item.code.clone(),
            name: item.name.clone(),
            hsn: "6912".to_owned(),
            barcode: String::new(),
            unit: "PCS".to_owned(),
            price: item.price,
            mrp: item.price,
            gst: item.gst,
        };
        let product = json!({
            "id": good.id, "product_code": good.code, "name": good.name, "hsn_code": good.hsn, "unit": good.unit,
            "retail_price": super::values::json_number(good.price), "mrp": super::values::json_number(good.mrp),
            "gst_rate": super::values::json_number(good.gst), "active": true
        });
        self.caller.create("products", &product).await?;
        let bill = bill::make_up(&mut self.chance, Kind::Batched, &[good], false, false);
        Ok((self.write(Kind::Batched, bill, Buyer::default()).await?, item))
    }

    /// Completes drafts: those that have lain for long enough, or all.
    pub(super) async fn complete_drafts(&mut self, all: bool) -> anyhow::Result<()> {
        let due: Vec<String> = self
            .drafts
            .extract_if(.., |(_, after)| all || *after <= self.made)
            .map(|(record, _)| record)
            .collect();
        for record in due {
            self.caller.change("invoices", &record, &json!({ "status": "completed" })).await?;
        }
        Ok(())
    }

    async fn write(&mut self, kind: Kind, bill: Bill, buyer: Buyer) -> anyhow::Result<String> {
        let (day, date) = self.date(kind)?;
        let number = self.next_number(bill.gst_bill, day);
        self.made += 1;
        let record = self.chance.record_id();
        let draft = send::write(
            &self.caller,
            &mut self.chance,
            kind,
            &bill,
            send::Names { record: &record, number: &number, date: &date, customer: &buyer.record },
        )
        .await
        .with_context(|| format!("the phone cannot write {number}"))?;
        if draft {
            let lies = self.chance.between(1, DRAFT_LIES);
            self.drafts.push((record.clone(), self.made + lies));
        }
        let version = Version { record, buyer, bill };
        self.papers.push(Paper { number: number.clone(), date, versions: vec![version] });
        Ok(number)
    }

    fn next_number(&mut self, gst_bill: bool, day: NaiveDate) -> String {
        let [gst, non_gst] = &mut self.last;
        let last = if gst_bill { gst } else { non_gst };
        *last += 1;
        invoice_number(gst_bill, *last, day)
    }

    /// The day in the shop, and how the phone writes it: as a plain day or as a moment.
    fn date(&mut self, kind: Kind) -> anyhow::Result<(NaiveDate, String)> {
        let now = self.clock.now();
        let today = now.with_timezone(&ZONE).date_naive();
        let ten_past = |day: NaiveDate| -> anyhow::Result<String> {
            let local = day.and_hms_opt(0, 10, 0).context("ten past midnight")?;
            let utc = ZONE.from_local_datetime(&local).earliest().context("ten past midnight")?;
            Ok(written(utc.with_timezone(&Utc)))
        };
        Ok(match kind {
            Kind::Midnight => {
                let day = today.checked_sub_days(Days::new(self.chance.below(3))).unwrap_or(today);
                (day, ten_past(day)?)
            }
            Kind::NewYear => {
                let year = if today.month() >= 4 { today.year() } else { today.year() - 1 };
                let day = NaiveDate::from_ymd_opt(year, 4, 1).context("1 April")?;
                (day, ten_past(day)?)
            }
            _ if self.chance.one_in(3) => (today, written(now)),
            _ => (today, today.format("%Y-%m-%d 00:00:00.000Z").to_string()),
        })
    }
}

/// As PocketBase writes a moment.
fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

/// Something that RainTek does not have yet.
#[derive(Debug, Clone)]
pub(super) struct UnknownItem {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) price: Decimal,
    pub(super) gst: Decimal,
}
