//! One invoice at a time, from the phone's word that it is complete to RainTek's commit.

use std::time::Duration;

use serde_json::json;

use crate::Sizes;
use crate::events::Events;
use crate::harness::Shop;
use crate::process::now_us;
use crate::replay::{self, Bare, Transaction};
use crate::stage::{self, Twin};
use crate::stats::{firsts, median, median_ratio, percentile, seconds};
use crate::table::Row;

/// What a pair of one push and its limit took, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    /// From the phone's request to the commit.
    whole: f64,
    /// From the phone's request until a bare follower was told.
    told: f64,
    /// A bare client's transaction, from its first word until the server had committed.
    bare: f64,
    /// The transaction as the server saw it: the program's, and the bare client's.
    own: f64,
    own_bare: f64,
    /// Until the app showed it as synced.
    shown: f64,
}

/// Completes an invoice, and asks its statements again of the twin.
async fn one(shop: &Shop, at: u32, events: &mut Events, twin: &Twin, bare: &mut Bare) -> Pair {
    let id = stage::send(shop, at, "draft").await;
    let phone = shop.phone().await;
    // What the draft set off is over.
    tokio::time::sleep(Duration::from_millis(200)).await;
    replay::recorded(&shop.raintek).await;
    let sent = now_us();
    phone.change("invoices", &id, json!({"status": "completed"})).await;
    let told = events.completed(&id).await;
    let shown = events.synced(&id).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut transactions = replay::transactions(replay::recorded(&shop.raintek).await);
    let transaction = transactions.pop().expect("the push is seen by the server");
    assert!(transactions.is_empty(), "one invoice, one transaction");
    let asked = now_us();
    replay::replay(bare, &transaction).await;
    let again = again(twin, &transaction).await;
    let since = |moment: u64| (moment - sent) as f64 / 1e3;
    Pair {
        whole: since(transaction.committed),
        told: since(told),
        bare: (again.committed - asked) as f64 / 1e3,
        own: transaction.took(),
        own_bare: again.took(),
        shown: since(shown),
    }
}

/// The twin was asked for word by word the same.
async fn again(twin: &Twin, transaction: &Transaction) -> Transaction {
    let mut again = replay::transactions(replay::recorded(&twin.raintek).await);
    let again = again.pop().expect("the twin was asked");
    assert!(again.is_same(transaction), "other statements were measured than the program sends");
    again
}

/// So many pushes from bill `first` on, each beside its limit.
pub(crate) async fn pairs(shop: &Shop, twin: &Twin, first: u32, count: usize) -> Vec<Pair> {
    let mut events = Events::follow(shop).await;
    let mut bare = replay::connect(&twin.raintek).await;
    replay::record(&shop.raintek).await;
    replay::record(&twin.raintek).await;
    let mut pairs = Vec::with_capacity(count);
    // The first ones are not counted: compiled nowhere, cached nowhere.
    let warming = (count / 5).clamp(1, 10);
    for at in 0..count + warming {
        let pair = one(shop, first + u32::try_from(at).unwrap(), &mut events, twin, &mut bare).await;
        if at >= warming {
            pairs.push(pair);
        }
    }
    pairs
}

/// The program's transactions against bare ones: what each took, and the median of the ratios.
pub(crate) fn of_statements(pairs: &[Pair]) -> (f64, f64, f64) {
    let both: Vec<_> = pairs.iter().map(|pair| (pair.own, pair.own_bare)).collect();
    (median(&firsts(&both)), median(&seconds(&both)), median_ratio(&both))
}

pub(crate) async fn measure(sizes: &Sizes) -> Vec<Row> {
    let mut shop = stage::open(300).await;
    shop.stop().await;
    let twin = stage::twin(&mut shop).await;
    shop.start().await;
    stage::in_step(&shop).await;
    let pairs = pairs(&shop, &twin, 1, sizes.pushes).await;
    shop.stop().await;
    rows(&pairs)
}

fn rows(pairs: &[Pair]) -> Vec<Row> {
    let whole: Vec<_> = pairs.iter().map(|pair| (pair.whole, pair.told + pair.bare)).collect();
    let (measured, limit) = (firsts(&whole), seconds(&whole));
    let p99 = |values: &[f64]| percentile(values, 99.0);
    let of = |part: fn(&Pair) -> f64| median(&pairs.iter().map(part).collect::<Vec<_>>());
    let what = "app completes an invoice of 10 lines -> committed in RainTek";
    let note = format!(
        "{} pairs. Of the median push: the app tells of it after {:.1} ms, the transaction takes {:.1} ms at the server (bare {:.1} ms), \
         the app shows it as synced after {:.1} ms.",
        pairs.len(),
        of(|pair| pair.told),
        of(|pair| pair.own),
        of(|pair| pair.own_bare),
        of(|pair| pair.shown),
    );
    vec![
        Row::at_most(
            &format!("{what}, p50"),
            format!("{:.1} ms", median(&measured)),
            format!("{:.1} ms (bare SSE + bare transaction)", median(&limit)),
            median_ratio(&whole),
            1.5,
        )
        .note(note),
        Row::at_most(
            &format!("{what}, p99"),
            format!("{:.1} ms", p99(&measured)),
            format!("{:.1} ms", p99(&limit)),
            p99(&measured) / p99(&limit),
            2.5,
        ),
    ]
}
