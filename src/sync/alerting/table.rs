//! Every row of the table of alerts.

use super::*;
use crate::model::alert::Event;

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    // 21 November 2026, 10:00 in the shop.
    DateTime::from_timestamp(1_795_235_400 + seconds, 0).unwrap()
}

pub(super) fn rules() -> AlertRules {
    AlertRules {
        zone: Tz::Asia__Kolkata,
        lost_after: TimeDelta::seconds(60),
        failing_after: TimeDelta::hours(24),
        gap: TimeDelta::seconds(60),
        closing: None,
    }
}

/// A shop whose alerts remember, at a time that is told.
pub(super) struct Shop {
    pub(super) now: i64,
    pub(super) memory: Memory,
    pub(super) rules: AlertRules,
    pub(super) started: i64,
    pub(super) cut_off: Option<DateTime<Utc>>,
    pub(super) stopping: bool,
    pub(super) raintek: LinkStatus,
    pub(super) billing: LinkStatus,
    pub(super) counts: Counts,
    pub(super) items: Vec<ItemStatus>,
    pub(super) bills: Vec<BillProblem>,
    pub(super) schema_hold: Option<String>,
    pub(super) published: bool,
    pub(super) done: BTreeMap<String, Option<ItemState>>,
    pub(super) catch_up: Option<CatchUp>,
    events: Vec<Event>,
}

impl Shop {
    /// Started an hour ago, "started" is said, nothing else.
    pub(super) fn open() -> Self {
        let mut shop = Self {
            now: -3600,
            memory: Memory::default(),
            rules: rules(),
            started: -3600,
            cut_off: None,
            stopping: false,
            raintek: up(-3600),
            billing: up(-3600),
            counts: Counts::default(),
            items: Vec::new(),
            bills: Vec::new(),
            schema_hold: None,
            published: true,
            done: BTreeMap::new(),
            catch_up: Some(CatchUp::default()),
            events: Vec::new(),
        };
        assert_eq!(shop.says(), ["Sync started."]);
        shop.now = 0;
        shop
    }

    pub(super) fn decide(&mut self) -> Decision {
        let raised: Vec<Raised> = std::mem::take(&mut self.events)
            .into_iter()
            .enumerate()
            .map(|(id, event)| Raised { id: i64::try_from(id).unwrap(), at: at(self.now), event })
            .collect();
        let said = self.memory.said_invoices();
        let here = |id: &&str| !self.items.iter().any(|item| item.record_id == **id);
        let others = said
            .into_iter()
            .filter(here)
            .map(|id| (id.to_owned(), self.done.get(id).copied().unwrap_or(Some(ItemState::Done))));
        let facts = Facts {
            now: at(self.now),
            started: at(self.started),
            cut_off: self.cut_off,
            stopping: self.stopping,
            raintek: &self.raintek,
            billing: &self.billing,
            counts: self.counts,
            items: &self.items,
            bills: &self.bills,
            schema_hold: self.schema_hold.as_deref(),
            published: self.published,
            others: others.collect(),
            catch_up: self.catch_up,
        };
        let decision = decide(&self.memory, &facts, &raised, &self.rules);
        // What is kept is what was decided: the store keeps JSON.
        let text = serde_json::to_string(&decision.memory).unwrap();
        self.memory = serde_json::from_str(&text).unwrap();
        assert_eq!(self.memory, decision.memory);
        decision
    }

    /// The lines of the message of now.
    pub(super) fn says(&mut self) -> Vec<String> {
        let decision = self.decide();
        assert_eq!(decision.message.is_some(), !decision.lines.is_empty());
        decision.lines.into_iter().map(|line| line.text).collect()
    }

    pub(super) fn says_at(&mut self, now: i64) -> Vec<String> {
        self.now = now;
        self.says()
    }

    pub(super) fn raise(&mut self, event: Event) {
        self.events.push(event);
    }
}

pub(super) fn up(since: i64) -> LinkStatus {
    LinkStatus { connected: true, since: Some(at(since)), ..LinkStatus::default() }
}

pub(super) fn down(since: i64) -> LinkStatus {
    let sentence = Some("RainTek's database is not answering.".into());
    LinkStatus { connected: false, since: Some(at(since)), sentence, ..LinkStatus::default() }
}

pub(super) fn item(number: &str, state: ItemState, failed: Option<i64>) -> ItemStatus {
    ItemStatus {
        record_id: format!("r-{number}"),
        number: number.into(),
        customer: "Asha".into(),
        amount: "106.00".into(),
        state: state.name().into(),
        sentence: "The item Ghee is not in RainTek".into(),
        action: "Pull products and retry.".into(),
        action_kind: "pull_products".into(),
        detail: String::new(),
        tries: 1,
        first_seen: at(-3600),
        first_failed: failed.map(at),
        next_try: None,
    }
}

// ---- The table ----

#[test]
fn started_tells_how_many_it_caught_up() {
    let said = |catch_up: Option<CatchUp>, now: i64| {
        let mut shop = Shop::open();
        (shop.started, shop.now) = (100, now);
        shop.catch_up = catch_up;
        shop.counts.waiting = 7;
        shop.says()
    };
    let caught_up = |done, left| Some(CatchUp { done, left });
    assert_eq!(said(caught_up(3, 0), 105), ["Sync started. Caught up 3 pending invoices."]);
    assert_eq!(said(caught_up(1, 0), 105), ["Sync started. Caught up 1 pending invoice."]);
    assert_eq!(said(caught_up(0, 0), 105), ["Sync started."]);
    assert!(said(caught_up(2, 1), 159).is_empty(), "still at it");
    assert!(said(None, 159).is_empty(), "nobody looked yet");
    assert_eq!(said(caught_up(2, 1), 160), ["Sync started. 7 invoices wait."]);
    assert_eq!(said(None, 160), ["Sync started. 7 invoices wait."]);
}

#[test]
fn a_long_catch_up_is_told_when_it_is_done() {
    let mut shop = Shop::open();
    shop.started = 100;
    shop.counts.waiting = 500;
    shop.catch_up = Some(CatchUp { done: 1, left: 500 });
    assert_eq!(shop.says_at(160), ["Sync started. 500 invoices wait."]);
    assert!(shop.says_at(300).is_empty());
    shop.catch_up = Some(CatchUp { done: 501, left: 0 });
    assert_eq!(shop.says_at(400), ["Caught up 501 pending invoices."]);
    assert!(shop.says_at(500).is_empty());
}

#[test]
fn stopped_is_said_at_once() {
    let mut shop = Shop::open();
    shop.raise(Event::Scanned { checked: 1, mismatches: 0 });
    assert_eq!(shop.says_at(10).len(), 1);
    shop.stopping = true;
    assert_eq!(shop.says_at(11), ["Sync stopped."]);
    let mut shop = Shop::open();
    shop.stopping = true;
    shop.counts.waiting = 2;
    assert_eq!(shop.says(), ["Sync stopped. 2 invoices wait."]);
}

#[test]
fn a_side_lost_for_a_minute_and_back() {
    let mut shop = Shop::open();
    shop.raintek = down(0);
    assert!(shop.says_at(59).is_empty());
    shop.now = 60;
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Warning);
    assert_eq!(
        decision.lines[0].text,
        "SQL Server connection lost. Retrying. RainTek's database is not answering."
    );
    assert!(shop.says_at(600).is_empty(), "said once");
    shop.counts.waiting = 7;
    assert!(shop.says_at(719).is_empty());
    shop.raintek = up(720);
    // By the time it is looked at, some are through already.
    shop.counts.waiting = 2;
    shop.now = 721;
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Info);
    assert_eq!(decision.lines[0].text, "SQL Server back after 12 min. Syncing 7 queued invoices.");
    assert!(shop.says_at(2000).is_empty());
    shop.billing = down(2000);
    shop.counts.waiting = 0;
    assert_eq!(
        shop.says_at(2060),
        ["Billing app connection lost. Retrying. RainTek's database is not answering."]
    );
    shop.billing = up(2100);
    assert_eq!(
        shop.says_at(2120),
        ["Billing app back after 100 s."].map(|_| "Billing app back after 1 min.")
    );
}

#[test]
fn a_side_that_is_back_within_a_minute_is_no_news() {
    let mut shop = Shop::open();
    shop.raintek = down(0);
    assert!(shop.says_at(50).is_empty());
    shop.raintek = up(55);
    assert!(shop.says_at(60).is_empty());
    assert!(shop.says_at(600).is_empty());
}

#[test]
fn a_side_that_never_answered_since_the_start_is_lost_too() {
    let mut shop = Shop::open();
    shop.raintek = LinkStatus::default();
    assert!(shop.says_at(1000).is_empty(), "not looked at");
    shop.raintek = down(1000);
    assert_eq!(shop.says_at(1060).len(), 1);
}

#[test]
fn an_outage_goes_on_over_a_restart() {
    let mut shop = Shop::open();
    shop.raintek = down(0);
    assert_eq!(shop.says_at(60).len(), 1);
    (shop.started, shop.raintek, shop.catch_up) = (120, LinkStatus::default(), None);
    assert!(shop.says_at(125).is_empty());
    shop.raintek = up(130);
    shop.catch_up = Some(CatchUp { done: 3, left: 0 });
    assert_eq!(
        shop.says_at(131),
        ["SQL Server back after 2 min.", "Sync started. Caught up 3 pending invoices."]
    );
}

#[test]
fn an_invoice_that_fails_for_a_day_or_is_held() {
    const DAY: i64 = 86_400;
    let mut shop = Shop::open();
    shop.items = vec![item("GST-0151", ItemState::Waiting, Some(0))];
    assert!(shop.says_at(DAY - 1).is_empty());
    shop.now = DAY;
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Critical);
    assert_eq!(
        decision.lines[0].text,
        "Invoice GST-0151 has not reached RainTek for 24 h. The item Ghee is not in RainTek. Pull products and retry."
    );
    let mut shop = Shop::open();
    shop.items = vec![item("GST-0151", ItemState::Held, Some(0))];
    assert_eq!(
        shop.says_at(1),
        [
            "Invoice GST-0151 has not reached RainTek. The item Ghee is not in RainTek. Pull products and retry."
        ]
    );
    for (seconds, state) in [(100, ItemState::Sending), (200, ItemState::Held), (300, ItemState::Waiting)] {
        shop.items = vec![item("GST-0151", state, Some(0))];
        assert!(shop.says_at(seconds).is_empty(), "tried again: said once");
    }
    shop.items = vec![item("GST-0151", ItemState::Applied, None)];
    assert_eq!(shop.says_at(400), ["Resolved: Invoice GST-0151 is in RainTek."]);
    shop.items.clear();
    assert!(shop.says_at(500).is_empty());
}

#[test]
fn a_held_invoice_ends_by_what_became_of_it() {
    for (state, text) in [
        (Some(ItemState::Done), "Resolved: Invoice GST-0151 is in RainTek."),
        (Some(ItemState::Withdrawn), "Resolved: Invoice GST-0151 was taken back in the billing app."),
        (None, "Resolved: Invoice GST-0151 was taken back in the billing app."),
    ] {
        let mut shop = Shop::open();
        shop.items = vec![item("GST-0151", ItemState::Held, Some(0))];
        assert_eq!(shop.says_at(1).len(), 1);
        shop.items.clear();
        // Further down the list than is shown, and not over.
        shop.done.insert("r-GST-0151".into(), Some(ItemState::Held));
        assert!(shop.says_at(100).is_empty());
        shop.done.insert("r-GST-0151".into(), state);
        assert_eq!(shop.says_at(200), [text]);
    }
}

#[test]
fn backups_are_told_daily_and_failures_until_they_work_again() {
    let mut shop = Shop::open();
    shop.raise(Event::BackupDone { raintek_bytes: 42 << 20, app_bytes: 8 << 20 });
    assert_eq!(shop.says(), ["Daily backup: RainTek 42 MB, app 8 MB, both verified."]);
    shop.raise(Event::BackupDone { raintek_bytes: 42 << 20, app_bytes: 8 << 20 });
    assert!(shop.says_at(90).is_empty(), "once a day");
    let failed = || Event::BackupFailed {
        reason: "SQL Server cannot write into D:\\Backups".into(),
        advice: "Give it the right to.".into(),
    };
    shop.raise(failed());
    shop.now = 100;
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Critical);
    assert_eq!(
        decision.lines[0].text,
        "Backup failed: SQL Server cannot write into D:\\Backups. Give it the right to."
    );
    shop.raise(failed());
    assert!(shop.says_at(3600).is_empty(), "goes on");
    shop.raise(failed());
    assert_eq!(shop.says_at(86_500).len(), 1, "again after a day");
    shop.raise(Event::BackupDone { raintek_bytes: 42 << 20, app_bytes: 8 << 20 });
    assert_eq!(
        shop.says_at(90_000),
        ["Resolved: the backup works again. Daily backup: RainTek 42 MB, app 8 MB, both verified."]
    );
}

#[test]
fn mismatches_and_the_weekly_scan() {
    let mut shop = Shop::open();
    let total = |text: &str| text.parse().unwrap();
    shop.raise(Event::Mismatch {
        number: "GST-0151".into(),
        app_total: total("2900"),
        raintek_total: Some(total("2800")),
    });
    shop.raise(Event::Mismatch { number: "GST-0152".into(), app_total: total("10"), raintek_total: None });
    let same = Event::Mismatch {
        number: "GST-0153".into(),
        app_total: total("10"),
        raintek_total: Some(total("10.00")),
    };
    shop.raise(same);
    shop.raise(Event::Scanned { checked: 147, mismatches: 3 });
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Critical);
    let said: Vec<_> = decision.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        said,
        [
            "GST-0151: app total 2,900.00, RainTek total 2,800.00.",
            "GST-0152: app total 10.00, RainTek has no such bill.",
            "GST-0153: the totals are equal (10.00), other content is not.",
            "Weekly scan: 147 invoices checked, 3 mismatches.",
        ]
    );
    shop.raise(Event::MismatchOver { number: "GST-0151".into() });
    shop.raise(Event::MismatchOver { number: "GST-9999".into() });
    shop.raise(Event::Scanned { checked: 1, mismatches: 0 });
    assert_eq!(
        shop.says_at(100),
        ["Resolved: GST-0151 no longer differs.", "Weekly scan: 1 invoice checked, 0 mismatches."]
    );
}

#[test]
fn a_bill_that_somebody_changed_in_raintek() {
    let bill = |state: &str| BillProblem {
        number: "GST-0151".into(),
        inv_id: 7,
        state: state.into(),
        sentence: "GST-0151 was changed in RainTek: app total 2,900.00, RainTek total 2,800.00".into(),
        action: "Write it again.".into(),
        command: "rewrite".into(),
    };
    let text = "GST-0151 was changed in RainTek: app total 2,900.00, RainTek total 2,800.00. Write it again.";
    let mut shop = Shop::open();
    shop.bills = vec![bill("refused")];
    assert!(shop.says().is_empty(), "RainTek's own");
    shop.bills = vec![bill("edited")];
    assert_eq!(shop.says(), [text]);
    assert!(shop.says_at(100).is_empty());
    // A start that has not looked yet knows of none.
    (shop.published, shop.bills) = (false, Vec::new());
    assert!(shop.says_at(200).is_empty());
    (shop.published, shop.bills) = (true, vec![bill("gone")]);
    // The weekly scan finds the same.
    let found = Event::Mismatch { number: "GST-0151".into(), app_total: 2900.into(), raintek_total: None };
    shop.raise(found);
    assert!(shop.says_at(300).is_empty());
    shop.raise(Event::MismatchOver { number: "GST-0151".into() });
    assert!(shop.says_at(400).is_empty(), "it still stands there");
    shop.bills.clear();
    assert_eq!(shop.says_at(500), ["Resolved: GST-0151 no longer differs."]);
    assert!(shop.says_at(600).is_empty());
}

#[test]
fn changed_tables_that_hold_every_invoice() {
    let mut shop = Shop::open();
    shop.schema_hold = Some("Nothing is written: InvoiceInfo has a new column".into());
    shop.now = 10;
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Critical);
    assert_eq!(decision.lines[0].text, "Nothing is written: InvoiceInfo has a new column.");
    (shop.published, shop.schema_hold) = (false, None);
    assert!(shop.says_at(100).is_empty());
    shop.published = true;
    assert_eq!(shop.says_at(200), ["Resolved: ShopSync writes to RainTek again."]);
    assert!(shop.says_at(300).is_empty());
}

#[test]
fn clock_and_disk() {
    let cases = [
        (
            Event::ClockWrong { seconds: -312 },
            Event::ClockOver,
            "This PC's clock is 5 min behind: invoices may get the wrong day. Set the clock, and switch on \"Set time \
             automatically\" in Windows.",
            "Resolved: this PC's clock is right again.",
        ),
        (
            Event::DiskNearlyFull { place: "D:".into(), free_bytes: 900 << 20 },
            Event::DiskOver { place: "D:".into() },
            "The disk D: is nearly full (900 MB left): backups stop first, then invoices. Free some space.",
            "Resolved: the disk D: has room again.",
        ),
    ];
    for (event, over, text, resolved) in cases {
        let mut shop = Shop::open();
        shop.raise(event.clone());
        let decision = shop.decide();
        assert_eq!(decision.message.unwrap().level, Level::Critical);
        assert_eq!(decision.lines[0].text, text);
        shop.raise(event.clone());
        assert!(shop.says_at(100).is_empty());
        shop.raise(over.clone());
        assert_eq!(shop.says_at(200), [resolved]);
        shop.raise(over.clone());
        assert!(shop.says_at(300).is_empty());
        // Over before it could be said.
        shop.raise(event);
        shop.raise(over);
        assert!(shop.says_at(400).is_empty());
    }
}

#[test]
fn the_day_is_summed_up_once_at_closing_time() {
    let mut shop = Shop::open();
    // 21:00 in the shop is eleven hours after ten.
    let closing = 11 * 3600;
    shop.rules.closing = NaiveTime::from_hms_opt(21, 0, 0);
    shop.counts = Counts { done_today: 143, seen_today: 143, ..Counts::default() };
    assert!(shop.says_at(closing - 1).is_empty());
    assert_eq!(shop.says_at(closing), ["Today: 143 of 143 invoices in RainTek, totals equal."]);
    assert!(shop.says_at(closing + 3600).is_empty());
    shop.raise(Event::BackupDone { raintek_bytes: 42 << 20, app_bytes: 0 });
    assert_eq!(shop.says_at(closing + 7200).len(), 1);
    shop.counts = Counts { done_today: 140, seen_today: 143, held: 2, ..Counts::default() };
    assert_eq!(
        shop.says_at(closing + 86_400),
        ["Today: 140 of 143 invoices in RainTek. 2 invoices need you. No backup proven."]
    );
    shop.raise(Event::BackupDone { raintek_bytes: 42 << 20, app_bytes: 8 << 20 });
    shop.raise(Event::Mismatch {
        number: "GST-1".into(),
        app_total: 2.into(),
        raintek_total: Some(1.into()),
    });
    shop.counts = Counts { done_today: 3, seen_today: 3, ..Counts::default() };
    let said = shop.says_at(closing + 2 * 86_400);
    assert!(
        said.contains(
            &"Today: 3 of 3 invoices in RainTek, not all totals equal. 2 backups proven.".to_owned()
        ),
        "{said:?}"
    );
}
