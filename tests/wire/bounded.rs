//! Nothing grows: neither by many pushes nor by those who come to our port and dawdle.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{Bill, Shop, eventually};

/// Pushes of an ordinary run; the benchmark makes ten thousand.
const PUSHES: u32 = 200;
/// Connections to the app that are kept for the next rush (`IDLE` in src/billing/http.rs); more that a rush needed are
/// closed as soon as they are free.
const KEPT: usize = 8;
/// So long nobody needs them, and so long until that is looked at (`IDLE_FOR` in src/billing/http.rs, twice).
const IDLE_FOR: Duration = Duration::from_secs(60);
/// More than the page takes at a time.
const DAWDLERS: usize = 150;
/// Three rounds of those who are hung up on after ten seconds, on a busy machine.
const TURN: Duration = Duration::from_secs(60);

/// What a process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    threads: usize,
    files: usize,
    sockets: usize,
    kib: u64,
}

fn held(pid: u32) -> Held {
    let entries = |of: &str| fs::read_dir(format!("/proc/{pid}/{of}")).unwrap().flatten();
    let is_socket = |entry: &fs::DirEntry| {
        fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    };
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    Held {
        threads: entries("task").count(),
        files: entries("fd").count(),
        sockets: entries("fd").filter(is_socket).count(),
        kib: line.trim().trim_end_matches(" kB").parse().unwrap(),
    }
}

async fn pushed(shop: &Shop, numbers: std::ops::RangeInclusive<u32>) {
    let last = u64::from(*numbers.end());
    for at in numbers {
        Bill::plain(&format!("GST-{at:04}-2026/27")).send_batch(shop).await;
    }
    eventually("all are proven", Duration::from_secs(120), async || {
        let counts = shop.status().await["counts"].clone();
        counts["done_total"].as_u64() == Some(last) && counts["waiting"] == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_pushes_hold_no_more_than_a_few() {
    let shop = Shop::open(4).await;
    let idle = held(shop.pid());
    pushed(&shop, 1..=PUSHES / 4).await;
    let before = held(shop.pid());
    pushed(&shop, PUSHES / 4 + 1..=PUSHES).await;
    // At once, and not only when nobody has needed them for a minute.
    eventually("what a rush needed is given back", Duration::from_secs(10), async || {
        let after = held(shop.pid());
        after.sockets <= before.sockets + KEPT && after.files <= before.files + KEPT
    })
    .await;
    // Then those that were kept go, too, but for the one of the look that is always due.
    eventually(
        "what is kept for the next rush is given back",
        IDLE_FOR + Duration::from_secs(40),
        async || {
            let after = held(shop.pid());
            after.sockets <= idle.sockets + 1 && after.files <= idle.files + 1
        },
    )
    .await;
    let after = held(shop.pid());
    assert!(after.threads <= before.threads + 2, "{before:?} -> {after:?}");
    assert!(after.kib <= before.kib * 3 / 2 + 4096, "{before:?} -> {after:?}");
    let clients = shop.raintek.state().await.unwrap()["connected"].as_u64().unwrap();
    assert!(clients <= 2, "{clients} connections at RainTek");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_dawdle_at_our_port_keep_nobody_out() {
    let shop = Shop::open(4).await;
    let before = held(shop.pid());
    let address = ("127.0.0.1", shop.settings.web.port);
    let mut dawdlers: Vec<TcpStream> = (0..DAWDLERS).map(|_| TcpStream::connect(address).unwrap()).collect();
    for dawdler in &mut dawdlers {
        dawdler.write_all(b"GET /health HTTP/1.1\r\nHost:").unwrap();
    }
    let mut most = before;
    let asked = tokio::time::timeout(TURN, async {
        // A stranger's first request: it has no connection yet.
        let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut answered = std::pin::pin!(stranger.get(shop.page("/health")).send());
        loop {
            tokio::select! {
                answer = &mut answered => return answer,
                () = tokio::time::sleep(Duration::from_millis(250)) => {
                    let now = held(shop.pid());
                    most.sockets = most.sockets.max(now.sockets);
                    most.kib = most.kib.max(now.kib);
                    for dawdler in &mut dawdlers {
                        // One that was hung up on has had its turn.
                        let _ = dawdler.write_all(b"x");
                    }
                }
            }
        }
    });
    let answer = asked.await.expect("/health never gets its turn").expect("/health answers");
    assert_eq!(answer.status(), 200);
    assert!(most.sockets <= before.sockets + 70, "{} sockets, {} before", most.sockets, before.sockets);
    assert!(most.kib <= before.kib + 16 * 1024, "{} KiB, {} before", most.kib, before.kib);
    // The invoices go on meanwhile.
    let id = Bill::plain("GST-0001-2026/27").send(&shop).await;
    shop.synced(&id).await;
    drop(dawdlers);
    eventually("all places are free again", Duration::from_secs(40), async || {
        held(shop.pid()).sockets <= before.sockets + 3
    })
    .await;
}
