//! Many pushes through one process: what it holds must not grow.

use crate::Sizes;
use crate::process;
use crate::stage;
use crate::table::Row;

pub(crate) async fn measure(sizes: &Sizes) -> Vec<Row> {
    let mut shop = stage::open(300).await;
    let (total, pieces) = (sizes.leak_pushes, 10);
    let piece = (total / pieces).max(1);
    let mut seen = Vec::new();
    for at in 1..=total {
        stage::send(&shop, at, "completed").await;
        if at % piece == 0 {
            stage::proven(&shop, at.into()).await;
            let clients = shop.raintek.state().await.unwrap()["connected"].as_u64().unwrap();
            seen.push((process::look(shop.pid()), clients));
        }
    }
    shop.stop().await;
    // The first pieces fill what is kept for good.
    let (first, last) = (seen[seen.len() / 5], seen[seen.len() - 1]);
    let mib = |seen: &process::Seen| seen.anonymous as f64 / 1024.0;
    let flat = mib(&last.0) <= mib(&first.0) * 1.1 + 2.0
        && last.0.threads <= first.0.threads + 1
        && last.0.files <= first.0.files + 2
        && last.0.sockets <= first.0.sockets + 2
        && last.1 <= 2;
    let shown = |(seen, clients): &(process::Seen, u64)| {
        format!(
            "{:.1} MiB, {} threads, {} files, {} sockets, {clients} connections at RainTek",
            mib(seen),
            seen.threads,
            seen.files,
            seen.sockets
        )
    };
    vec![Row {
        what: format!("nothing leaks over {total} pushes"),
        measured: format!(
            "after {}: {}; after {total}: {}",
            piece * (pieces / 5 + 1),
            shown(&first),
            shown(&last)
        ),
        limit: "-".into(),
        ratio: "-".into(),
        target: "flat".into(),
        reached: Some(flat),
        note: "Flat: at most a tenth and two MiB more, no more threads, files and sockets than two.".into(),
    }]
}
