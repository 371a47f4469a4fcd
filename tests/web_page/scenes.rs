//! Snapshots of believable moments in a shop.

use std::sync::OnceLock;

use chrono::{DateTime, Duration, Timelike as _, Utc};
use chrono_tz::Tz;
use shopsync::model::backup::{BackupWork, BackupsStatus, Made, Part, Proof};
use shopsync::model::health::HealthState;
use shopsync::model::product::ProductProblem;
use shopsync::model::scan::{Finding, FindingKind, ScanEnd, ScanStatus};
use shopsync::model::status::{
    Activity, AwarenessStatus, Counts, ItemStatus, LastPush, LinkStatus, ProductsStatus, Progress, Snapshot,
};
use shopsync::sync::health::{Leg, Looks, assess, summary};

static ZONE: OnceLock<Tz> = OnceLock::new();

const CUSTOMERS: [&str; 6] =
    ["Asha Traders", "", "Lakshmi Stationers", "Mohammed Irfan", "S. Venkatesh & Sons", "Dr. Meera Nair"];

/// Now, as the browser sees it.
#[expect(clippy::disallowed_methods, reason = "the browser beside it has the machine's clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Where the shop is.
pub(crate) fn zone() -> Tz {
    *ZONE.get().unwrap_or(&Tz::Asia__Kolkata)
}

/// Has it be an afternoon in the shop, whenever pictures are taken: a day without a morning is an empty one.
pub(crate) fn in_the_afternoon() -> Tz {
    let ahead = (16 - i64::from(now().hour()) + 11).rem_euclid(24) - 11;
    *ZONE.get_or_init(|| format!("Etc/GMT{:+}", -ahead).parse().unwrap())
}

/// All is well.
pub(crate) fn in_step() -> Snapshot {
    let now = now();
    let scene = Snapshot {
        version: "0.1.0".into(),
        at: now,
        started: now - Duration::hours(3),
        state: HealthState::InStep,
        sentence: String::new(),
        summary: String::new(),
        raintek: link("Raintech_DB1 on .\\SQLEXPRESS", 3),
        billing: link("http://127.0.0.1:8090", 12),
        realtime: true,
        products: ProductsStatus {
            total: 4812,
            changed: 2,
            last_pass: Some(now - Duration::minutes(3)),
            ..ProductsStatus::default()
        },
        from_raintek: AwarenessStatus {
            total: 44,
            today: 4,
            last_pass: Some(now),
            ..AwarenessStatus::default()
        },
        counts: Counts { waiting: 0, held: 0, done_today: 143, seen_today: 143, done_total: 12_998 },
        items: Vec::new(),
        last_push: Some(LastPush { number: "GST-0143".into(), at: now - Duration::minutes(2), took_ms: 430 }),
        paused_until: None,
        backups: backups(),
        scan: ScanStatus {
            last: Some(ScanEnd {
                at: now - Duration::days(3),
                sentence: "Weekly scan: 12,998 invoices checked, 0 mismatches.".into(),
                checked: 12_998,
                mismatches: 0,
            }),
            ..ScanStatus::default()
        },
        heartbeat: Some(now),
        cut_off: None,
        trial: Default::default(),
        activity: activity(),
    };
    told(scene, |_| ())
}

/// State and sentences as the engine's own functions have them, so that no scene says what is never said.
fn told(mut scene: Snapshot, change: impl FnOnce(&mut Looks)) -> Snapshot {
    let leg = Leg { last_ok: Some(scene.at), ..Leg::default() };
    let held = scene.items.iter().find(|item| item.state == "held");
    let mut looks = Looks {
        now: scene.at,
        started: scene.started,
        zone: zone(),
        raintek: leg.clone(),
        billing: leg.clone(),
        invoices: leg.clone(),
        products: leg.clone(),
        products_fresh: Duration::minutes(11),
        bills: leg,
        bills_fresh: Duration::minutes(11),
        mismatch: None,
        realtime_down_since: None,
        counts: scene.counts,
        oldest_waiting: None,
        oldest_failure: None,
        retrying: 0,
        held: held.map(|item| (item.number.clone(), item.sentence.clone())),
        sending: 0,
        paused_until: scene.paused_until,
        backup: None,
        schema_hold: None,
        first_backup: false,
        store: Leg::default(),
        problems: Vec::new(),
    };
    change(&mut looks);
    let verdict = assess(&looks);
    (scene.state, scene.sentence) = (verdict.state, verdict.sentence);
    let last = scene.last_push.as_ref().map(|last| (last.number.as_str(), last.at));
    scene.summary = summary(&scene.counts, last, scene.at);
    scene
}

fn backups() -> BackupsStatus {
    let at = now() - Duration::hours(2);
    let made = |part, file: &str, bytes, days: i64, proof| Made {
        part,
        file: format!("D:\\Backups\\{file}").into(),
        day: (at - Duration::days(days)).date_naive(),
        at: at - Duration::days(days),
        bytes,
        rows: None,
        proof,
        proven_at: proof.map(|_| at),
    };
    BackupsStatus {
        enabled: true,
        folder: "D:\\Backups".into(),
        files: vec![
            made(Part::Raintek, "Raintech_DB1_20261125.bak", 44_040_192, 0, Some(Proof::ReadBack)),
            made(Part::Billing, "pocketbase_20261125.zip", 8_388_608, 0, Some(Proof::ReadBack)),
            made(Part::Store, "shopsync_20261125.sqlite", 655_360, 0, Some(Proof::ReadBack)),
            made(Part::Raintek, "Raintech_DB1_20261121.bak", 43_040_192, 4, Some(Proof::Restored)),
            made(Part::Billing, "pocketbase_20261121.zip", 8_188_608, 4, None),
        ],
        last_ok: Some(at),
        restorable: Some(at - Duration::days(4)),
        ..BackupsStatus::default()
    }
}

/// The same while a backup is under way.
pub(crate) fn backing_up(percent: u8) -> Snapshot {
    let mut snapshot = in_step();
    let since = now() - Duration::seconds(12);
    snapshot.backups.running =
        Some(BackupWork { doing: "Backing up RainTek".into(), percent: Some(percent), since });
    snapshot
}

/// No proof yet.
pub(crate) fn starting() -> Snapshot {
    let scene = Snapshot {
        raintek: LinkStatus { target: "Raintech_DB1 on .\\SQLEXPRESS".into(), ..LinkStatus::default() },
        billing: LinkStatus { target: "http://127.0.0.1:8090".into(), ..LinkStatus::default() },
        realtime: false,
        products: ProductsStatus::default(),
        from_raintek: AwarenessStatus::default(),
        counts: Counts::default(),
        backups: BackupsStatus { enabled: true, folder: "D:\\Backups".into(), ..BackupsStatus::default() },
        scan: ScanStatus::default(),
        started: now(),
        last_push: None,
        activity: Vec::new(),
        ..in_step()
    };
    told(scene, |looks| looks.raintek.last_ok = None)
}

/// Nobody has set it up.
pub(crate) fn not_set_up() -> Snapshot {
    Snapshot {
        sentence: "ShopSync is not set up yet. Its window leads through it in a few minutes.".into(),
        summary: String::new(),
        raintek: LinkStatus::default(),
        ..starting()
    }
}

/// Something is on its way, and the first big load of products too.
pub(crate) fn working() -> Snapshot {
    let mut snapshot = in_step();
    snapshot.products.progress = Some(Progress { done: 1900, total: 4812 });
    snapshot.items = (144..147)
        .map(|n| ItemStatus {
            state: "sending".into(),
            sentence: String::new(),
            detail: String::new(),
            tries: 0,
            first_failed: None,
            next_try: None,
            ..waiting(n)
        })
        .collect();
    snapshot.counts = Counts { waiting: 3, done_today: 140, ..snapshot.counts };
    told(snapshot, |looks| looks.sending = 3)
}

/// One item held, two waiting, some products not whole.
pub(crate) fn attention() -> Snapshot {
    let mut snapshot = in_step();
    snapshot.items = vec![held(151), waiting(152), waiting(153)];
    snapshot.counts = Counts { waiting: 2, held: 1, done_today: 142, seen_today: 145, done_total: 12_997 };
    snapshot.scan.last = snapshot.scan.last.map(|last| ScanEnd {
        sentence: "Weekly scan: 12,998 invoices checked, 1 mismatch.".into(),
        mismatches: 1,
        ..last
    });
    snapshot.scan.findings = vec![Finding {
        kind: FindingKind::Edited,
        number: "GST-0099-2025/26".into(),
        record_id: None,
        inv_id: Some(99),
        day: None,
        sentence: "GST-0099-2025/26 was changed in RainTek: app total 2,900.00, RainTek total 2,800.00. The app is the master: \
                   write it again?"
            .into(),
        action: "`shopsync rewrite GST-0099-2025/26` writes it again as the app has it.".into(),
        details: vec!["InvoiceInfo.GrandTotal: 2800.00 instead of 2900.00".into()],
    }];
    snapshot.products.problems = (1..4)
        .map(|pid| ProductProblem {
            pid,
            code: format!("PEN-{pid:03}"),
            sentence: "The barcode 8901234567890 stands on another product too.".into(),
        })
        .collect();
    told(snapshot, |_| ())
}

/// RainTek's database is gone.
pub(crate) fn failing() -> Snapshot {
    let mut snapshot = in_step();
    let now = now();
    snapshot.raintek.connected = false;
    snapshot.raintek.since = Some(now - Duration::minutes(14));
    snapshot.raintek.sentence = Some("RainTek's database is not answering.".into());
    snapshot.raintek.detail = Some("connect to 192.168.1.4:1433: timed out".into());
    snapshot.raintek.next_try = Some(now + Duration::seconds(40));
    snapshot.realtime = false;
    snapshot.items = (160..172).map(waiting).collect();
    snapshot.counts = Counts { waiting: 12, done_today: 131, ..snapshot.counts };
    told(snapshot, |looks| {
        looks.raintek.failing_since = Some(now - Duration::minutes(14));
        looks.raintek.sentence = "RainTek's database is not answering.".into();
    })
}

/// A person paused it.
pub(crate) fn paused() -> Snapshot {
    told(Snapshot { paused_until: Some(now() + Duration::minutes(48)), ..in_step() }, |_| ())
}

/// So many held.
pub(crate) fn held_many(count: i64) -> Snapshot {
    let mut snapshot = attention();
    snapshot.items = (0..count).map(held).collect();
    snapshot.counts.held = u64::try_from(count).unwrap_or(0);
    snapshot.counts.waiting = 0;
    told(snapshot, |_| ())
}

/// Names that try to be markup, and names without an end.
pub(crate) fn hostile() -> Snapshot {
    let mut snapshot = attention();
    let markup = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";
    let endless = "Shree-Lakshmi-Venkateshwara-General-Stores-and-Stationery-Wholesale-Merchants-".repeat(4);
    let mut one = held(151);
    one.number = format!("GST/2025-26/{}", "0".repeat(60));
    one.customer = endless.clone();
    one.amount = "9999999999999999.99".into();
    one.sentence = format!("Item \"{endless}\" is not in RainTek.");
    let mut two = held(152);
    two.customer = markup.into();
    two.sentence = markup.into();
    two.detail = format!("{markup}\n{endless}");
    two.amount = String::new();
    snapshot.items = vec![one, two];
    snapshot.counts.held = 2;
    snapshot.counts.waiting = 0;
    snapshot.sentence = format!("2 invoices need you. The first: {}. {markup}", snapshot.items[0].number);
    snapshot.raintek.target = endless.clone();
    for finding in &mut snapshot.scan.findings {
        finding.number = endless.clone();
        finding.details = vec![markup.into(), endless.clone()];
    }
    snapshot.last_push = snapshot.last_push.map(|push| LastPush { number: endless.clone(), ..push });
    snapshot.activity.insert(
        0,
        Activity { id: 99, at: now(), kind: "hold".into(), number: String::new(), sentence: markup.into() },
    );
    snapshot
}

fn link(target: &str, latency_ms: u64) -> LinkStatus {
    LinkStatus {
        connected: true,
        latency_ms: Some(latency_ms),
        since: Some(now() - Duration::hours(3)),
        last_ok: Some(now()),
        target: target.into(),
        ..LinkStatus::default()
    }
}

fn waiting(n: i64) -> ItemStatus {
    let now = now();
    let customer = usize::try_from(n).ok().and_then(|n| CUSTOMERS.get(n % CUSTOMERS.len())).copied();
    ItemStatus {
        record_id: format!("record{n:09}"),
        number: format!("GST-{n:04}"),
        customer: customer.unwrap_or_default().into(),
        amount: format!("{}.50", 410 + n * n * 37),
        state: "waiting".into(),
        sentence: "RainTek's database is not answering.".into(),
        action: "Nothing to do: it is tried again by itself.".into(),
        action_kind: "wait".into(),
        detail: "connect to 192.168.1.4:1433: timed out".into(),
        tries: 2,
        first_seen: now - Duration::minutes(31),
        first_failed: Some(now - Duration::minutes(30)),
        next_try: Some(now + Duration::seconds(40 + n % 7)),
    }
}

fn held(n: i64) -> ItemStatus {
    ItemStatus {
        state: "held".into(),
        sentence: "Item \"Blue pen\" is not in RainTek.".into(),
        action: "Pull products and retry.".into(),
        action_kind: "pull_products".into(),
        detail: "Invoice_Product: no row of Product with ProductCode = 'PEN-BLUE'".into(),
        tries: 3,
        next_try: Some(now() + Duration::minutes(52)),
        ..waiting(n)
    }
}

fn activity() -> Vec<Activity> {
    let line = |id: i64, minutes: i64, kind: &str, sentence: &str| Activity {
        id,
        at: now() - Duration::minutes(minutes),
        kind: kind.into(),
        number: String::new(),
        sentence: sentence.into(),
    };
    vec![
        line(9, 2, "push", "GST-0143 of Asha Traders, ₹ 1,23,456.00, is in RainTek."),
        line(8, 3, "products", "2 products changed in RainTek and were taken over."),
        line(7, 5, "push", "GST-0142, ₹ 410.00, is in RainTek."),
        line(6, 9, "push", "GST-0141 of Dr. Meera Nair, ₹ 2,900.00, is in RainTek."),
        line(5, 14, "link", "RainTek's database answers again after 4 minutes."),
        line(4, 18, "link", "RainTek's database is not answering."),
        line(3, 20, "hold", "GST-0139 is held: item \"Blue pen\" is not in RainTek."),
        line(2, 180, "app", "ShopSync 0.1.0 started."),
        line(1, 1500, "note", "Paused for 15 minutes."),
    ]
}
