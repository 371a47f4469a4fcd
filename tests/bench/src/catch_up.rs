//! Many invoices that wait: how fast they go, against a bare loop of their statements.

use crate::Sizes;
use crate::harness::now;
use crate::replay;
use crate::seed;
use crate::stage;
use crate::stats::median;
use crate::table::Row;

/// Transactions that make one pair.
const PIECES: usize = 10;

pub(crate) async fn measure(sizes: &Sizes) -> Vec<Row> {
    let mut shop = stage::open(300).await;
    let id = stage::send(&shop, 1, "draft").await;
    shop.stop().await;
    seed::waiting(&shop, &id, 2, sizes.waiting);
    let twin = stage::twin(&mut shop).await;
    replay::record(&shop.raintek).await;
    let started = now();
    shop.start().await;
    stage::proven(&shop, sizes.waiting.into()).await;
    let whole = started.elapsed().as_secs_f64();
    let transactions = replay::transactions(replay::recorded(&shop.raintek).await);
    shop.stop().await;
    assert_eq!(transactions.len(), sizes.waiting as usize, "one transaction an invoice");

    let mut bare = replay::connect(&twin.raintek).await;
    let mut rates = Vec::new();
    let piece = transactions.len() / PIECES;
    for some in transactions.chunks_exact(piece.max(2)) {
        let began = now();
        for transaction in some {
            replay::replay(&mut bare, transaction).await;
        }
        let limit = some.len() as f64 / began.elapsed().as_secs_f64();
        let (first, last) = (some[0].committed, some[some.len() - 1].committed);
        let measured = (some.len() - 1) as f64 / ((last - first).max(1) as f64 / 1e6);
        rates.push((measured, limit));
    }
    let ratio = crate::stats::median_ratio(&rates);
    let rate = |values: Vec<f64>| format!("{:.0} invoices/s", median(&values));
    let what = format!("catch-up of {} waiting invoices", sizes.waiting);
    vec![Row {
        what,
        measured: rate(crate::stats::firsts(&rates)),
        limit: format!("{} (bare loop)", rate(crate::stats::seconds(&rates))),
        ratio: format!("{ratio:.2} x"),
        target: ">= 0.7 x".into(),
        reached: Some(ratio >= 0.7),
        note: format!(
            "{whole:.1} s from the start of the program, PocketBase's start among it, until the last was proven and shown in \
             the app."
        ),
    }]
}
