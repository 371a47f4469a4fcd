//! The real program behind a wire on which a server dies without a word: its end of the connection stays open, takes
//! everything and answers nothing.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Bill, Shop, eventually, now};
use crate::proxy::{Fate, Proxy};

/// A statement is given up after 30 s; then it is looked up on a connection that lives.
const GIVEN_UP: Duration = Duration::from_secs(150);
/// What the page may take to answer, whatever RainTek does.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A shop whose ShopSync reaches RainTek through a proxy; one invoice has gone through already.
pub(crate) async fn shop_behind_proxy() -> (Shop, Proxy) {
    let mut shop = Shop::new(4);
    shop.raintek.start().await;
    let proxy = Proxy::before(shop.raintek.port).await;
    shop.settings.raintek.port = proxy.port;
    shop.start().await;
    shop.in_step().await;
    let id = Bill::plain("GST-0001-2026/27").send(&shop).await;
    shop.synced(&id).await;
    (shop, proxy)
}

/// The page answers while it waits; the invoice is booked once, whole, and all is well again.
async fn is_booked_once(shop: &Shop, proxy: &Proxy, id: &str, number: &str) {
    let phone = shop.phone().await;
    let since = now();
    let mut buried = false;
    eventually(&format!("{number} is synced"), GIVEN_UP, async || {
        let health = tokio::time::timeout(AT_ONCE, shop.health()).await;
        assert!(health.expect("/health waits for RainTek").is_some(), "/health does not answer");
        // Keep-alive frees the server's locks some time after the client has given up.
        if !buried && since.elapsed() > Duration::from_secs(33) {
            proxy.bury();
            buried = true;
        }
        phone.read("invoices", id).await["sync_status"] == "synced"
    })
    .await;
    let dump = shop.raintek.dump().await;
    let bills = dump.bills(number);
    assert_eq!(bills.len(), 1, "{number} stands once");
    assert_eq!(bills[0]["Invoice_Product"].as_array().unwrap().len(), 2, "with all its lines");
    assert_eq!(dump.with("SaleGST", "InvNo", number).len(), 1);
    shop.in_step().await;
}

/// The text of a batch is UTF-16.
pub(crate) fn holds(piece: &[u8], word: &str) -> bool {
    let word: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    piece.windows(word.len()).any(|part| part == word)
}

/// TDS: a transaction manager's request, and in it, behind its headers, that of a commit.
pub(crate) fn is_commit(piece: &[u8]) -> bool {
    piece.first() == Some(&0x0E) && piece.get(30..32) == Some(&[7, 0])
}

/// Each waits half a minute until a statement is given up: side by side, in three shops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_without_a_word_costs_no_invoice_and_doubles_none() {
    tokio::join!(
        dead_while_the_rows_are_written_the_invoice_is_booked_once(),
        dead_behind_the_commit_the_invoice_is_booked_once(),
        dead_between_two_pushes_the_next_invoice_is_booked_once(),
    );
}

async fn dead_while_the_rows_are_written_the_invoice_is_booked_once() {
    let (shop, proxy) = shop_behind_proxy().await;
    proxy.kill_silently_when(|piece| match holds(piece, "INSERT INTO [InvoiceInfo]") {
        true => Fate::DiesBefore,
        false => Fate::Lives,
    });
    let id = Bill::plain("GST-0002-2026/27").send(&shop).await;
    is_booked_once(&shop, &proxy, &id, "GST-0002-2026/27").await;
    assert!(proxy.has_struck(), "no connection died: the rows were not seen");
}

async fn dead_behind_the_commit_the_invoice_is_booked_once() {
    let (shop, proxy) = shop_behind_proxy().await;
    proxy.kill_silently_when(|piece| if is_commit(piece) { Fate::DiesBehind } else { Fate::Lives });
    let id = Bill::plain("GST-0002-2026/27").send(&shop).await;
    eventually("it stands there, and nobody knows", GIVEN_UP, async || {
        proxy.has_struck() && !shop.raintek.dump().await.bills("GST-0002-2026/27").is_empty()
    })
    .await;
    assert_ne!(
        shop.phone().await.read("invoices", &id).await["sync_status"],
        "synced",
        "its answer was swallowed"
    );
    is_booked_once(&shop, &proxy, &id, "GST-0002-2026/27").await;
}

async fn dead_between_two_pushes_the_next_invoice_is_booked_once() {
    let (shop, proxy) = shop_behind_proxy().await;
    proxy.kill_silently();
    let id = Bill::plain("GST-0002-2026/27").send(&shop).await;
    // Nobody may be told that all is well while nothing answers.
    shop.order(json!({"command": "sync_now"})).await;
    is_booked_once(&shop, &proxy, &id, "GST-0002-2026/27").await;
}
