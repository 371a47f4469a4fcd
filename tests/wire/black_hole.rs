//! The real program behind a wire on which packets vanish for longer than anybody waits, and then flow again: what was
//! sent long ago arrives late, also the COMMIT of a transaction that was given up.

use std::time::Duration;

use crate::half_open::{holds, is_commit, shop_behind_proxy};
use crate::harness::{Bill, Shop, eventually, now};
use crate::proxy::{Fate, Proxy};

/// Longer than a statement (30 s) and a new connection behind it (15 s) may take.
const HOLE: Duration = Duration::from_secs(55);
/// By then somebody has to be told: the statement that hangs, and a look that is due meanwhile.
const TOLD: Duration = Duration::from_secs(50);
/// Behind the hole: the longest pause between two tries (a minute), and what waited goes.
const BACK: Duration = Duration::from_secs(100);
/// What the page may take to answer, whatever RainTek does.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Each takes two minutes, most of them waiting: side by side, in three shops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_into_a_black_hole_is_booked_once_when_it_heals() {
    tokio::join!(
        falls_silent_at("the look-up", |piece| holds(piece, "sp_getapplock")),
        falls_silent_at("the rows", |piece| holds(piece, "INSERT INTO [InvoiceInfo]")),
        falls_silent_at("the commit", is_commit),
    );
}

async fn falls_silent_at(moment: &str, at: impl Fn(&[u8]) -> bool + Send + 'static) {
    let (shop, proxy) = shop_behind_proxy().await;
    proxy.kill_silently_when(move |piece| if at(piece) { Fate::FallsSilent } else { Fate::Lives });
    let mut ids = vec![Bill::plain("GST-0002-2026/27").send(&shop).await];
    eventually(&format!("{moment} is in the hole"), AT_ONCE * 4, async || proxy.has_struck()).await;
    let began = now();
    // The shop goes on billing.
    for number in 3..=6 {
        ids.push(Bill::plain(&format!("GST-{number:04}-2026/27")).send(&shop).await);
    }
    is_told_in_time(&shop, moment).await;
    while began.elapsed() < HOLE {
        answers_at_once(&shop).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    all_arrives(&shop, &proxy, moment, &ids).await;
}

async fn answers_at_once(shop: &Shop) -> bool {
    let health = tokio::time::timeout(AT_ONCE, shop.health()).await;
    health.expect("/health waits for RainTek").is_some()
}

/// Nobody is told that all is well while nothing answers.
async fn is_told_in_time(shop: &Shop, moment: &str) {
    eventually(&format!("{moment}: it is said that RainTek does not answer"), TOLD, async || {
        assert!(answers_at_once(shop).await, "/health does not answer");
        shop.status().await["raintek"]["connected"] == false
    })
    .await;
}

async fn all_arrives(shop: &Shop, proxy: &Proxy, moment: &str, ids: &[String]) {
    proxy.silence(false);
    let phone = shop.phone().await;
    for id in ids {
        eventually(&format!("{moment}: {id} is synced"), BACK, async || {
            phone.read("invoices", id).await["sync_status"] == "synced"
        })
        .await;
    }
    shop.in_step().await;
    let dump = shop.raintek.dump().await;
    for number in (2..=6).map(|number| format!("GST-{number:04}-2026/27")) {
        let bills = dump.bills(&number);
        assert_eq!(bills.len(), 1, "{moment}: {number} stands once");
        assert_eq!(bills[0]["Invoice_Product"].as_array().unwrap().len(), 2, "{moment}: with all its lines");
        assert_eq!(dump.with("SaleGST", "InvNo", &number).len(), 1, "{moment}: {number}");
    }
}
