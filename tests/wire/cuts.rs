//! The connection is cut after each byte of a push once, up and down, in the clear and within TLS.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use raintek_sandbox::Tls;
use shopsync::model::invoice::Invoice;
use shopsync::model::settings::{Encryption, PostingSettings};
use shopsync::ports::Pos as _;

use crate::proxy::{Proxy, Way};
use crate::sale;
use crate::shop::{End, Shop, Sync};

/// What an ordinary run leaves out between two cuts; it is no multiple of any packet, so that every part of one is hit.
const STRIDE: u64 = 211;

/// How many whole bills of the number stand there; half of one, and rows without a bill, are a panic.
async fn whole_bills(shop: &Shop, invoice: &Invoice) -> u64 {
    let number = &invoice.number;
    let orphans = "WHERE InvoiceID NOT IN (SELECT Inv_ID FROM InvoiceInfo)";
    let of_bill =
        format!("WHERE InvoiceID IN (SELECT Inv_ID FROM InvoiceInfo WHERE InvoiceNo = N'{number}')");
    let counted = shop
        .sql(&format!(
            "SELECT (SELECT COUNT(*) FROM InvoiceInfo WHERE InvoiceNo = N'{number}'), \
             (SELECT COUNT(*) FROM Invoice_Product {of_bill}), (SELECT COUNT(*) FROM Invoice_Payment {of_bill}), \
             (SELECT COUNT(*) FROM SaleGST WHERE InvNo = N'{number}'), \
             (SELECT COUNT(*) FROM Invoice_Product {orphans}), (SELECT COUNT(*) FROM Invoice_Payment {orphans})"
        ))
        .await;
    let row = &counted[0]["rows"][0];
    let count =
        |at: usize| row[at].as_str().map_or_else(|| row[at].as_u64(), |text| text.parse().ok()).unwrap();
    let bills = count(0);
    let (lines, payments) = (invoice.lines.len() as u64, invoice.payments.len() as u64);
    assert_eq!(
        [count(1), count(2), count(3)],
        [bills * lines, bills * payments, bills],
        "{number}: half a bill"
    );
    assert_eq!([count(4), count(5)], [0, 0], "rows without a bill");
    bills
}

/// Signed in on both connections, products known: what passes from here on is the push alone.
async fn ready(shop: &Shop, proxy: &Proxy, encryption: Encryption, invoice: &Invoice) -> Sync {
    let sync = shop.sync_at(proxy.port, encryption, PostingSettings::default());
    sync.pull_products().await;
    let (transaction, _) = sync.raintek.open(&Sync::lookup(invoice, None)).await.unwrap();
    transaction.rollback().await;
    proxy.heal();
    sync
}

/// Cuts once after so many bytes of a push, lets it be sent again, and takes it out of RainTek. Returns whether so many
/// passed at all.
async fn cut_once(
    shop: &Shop,
    proxy: &Proxy,
    encryption: Encryption,
    invoice: &mut Invoice,
    way: Way,
    at: u64,
) -> bool {
    invoice.number = format!("W-{way:?}-{at}");
    let sync = ready(shop, proxy, encryption, invoice).await;
    proxy.cut_after(way, at);
    let sent = sync.send(invoice, None).await;
    let was_cut = proxy.passed(way) >= at;
    proxy.heal();
    match &sent {
        Ok(End::Written(_)) => assert_eq!(whole_bills(shop, invoice).await, 1, "{}", invoice.number),
        Ok(End::Lost) | Err(_) => assert!(was_cut, "{}: {sent:?} without a cut", invoice.number),
        other => panic!("{}: {other:?}", invoice.number),
    }
    // The same again, as the engine does: it is looked up before anything is written.
    let again = loop {
        match sync.send(invoice, None).await {
            // The server still holds the lock of the connection that was cut.
            Err(fault) if fault.kind == shopsync::model::fault::FaultKind::Transient => {}
            again => break again.unwrap(),
        }
    };
    assert!(matches!(again, End::Written(_) | End::Nothing(_)), "{}: {again:?}", invoice.number);
    if matches!(sent, Ok(End::Written(_))) {
        assert!(matches!(again, End::Nothing(_)), "{}: written twice", invoice.number);
    }
    assert_eq!(whole_bills(shop, invoice).await, 1, "{}", invoice.number);
    shop.sql(&format!(
        "DELETE FROM Invoice_Product WHERE InvoiceID IN (SELECT Inv_ID FROM InvoiceInfo WHERE InvoiceNo = N'{0}'); \
         DELETE FROM Invoice_Payment WHERE InvoiceID IN (SELECT Inv_ID FROM InvoiceInfo WHERE InvoiceNo = N'{0}'); \
         DELETE FROM InvoiceInfo WHERE InvoiceNo = N'{0}'; DELETE FROM SaleGST WHERE InvNo = N'{0}';",
        invoice.number
    ))
    .await;
    was_cut
}

/// Cuts after every `stride`th byte of both ways. Returns how many cuts there were.
async fn cut(tls: Tls, encryption: Encryption, stride: u64) -> u64 {
    let shop = Shop::with(tls);
    let proxy = Proxy::before(shop.port()).await;
    let mut invoice = sale(&shop).await;
    let mut cuts = 0;
    for way in [Way::Up, Way::Down] {
        let mut at = 0;
        while cut_once(&shop, &proxy, encryption, &mut invoice, way, at).await {
            (cuts, at) = (cuts + 1, at + stride);
        }
    }
    cuts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_anywhere_in_the_clear_a_push_is_whole_or_not_there() {
    let cuts = cut(Tls::Off, Encryption::None, STRIDE).await;
    assert!(cuts > 40, "only {cuts} cuts: the push is not seen by the proxy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_anywhere_within_tls_a_push_is_whole_or_not_there() {
    let cuts = cut(Tls::On, Encryption::Required, STRIDE * 2).await;
    assert!(cuts > 20, "only {cuts} cuts: the push is not seen by the proxy");
}

/// Shops side by side in which every single byte is cut after: most of a cut is waiting for the server to let go of a
/// connection.
const AT_ONCE: usize = 24;
/// A push is no longer than the shortest and so many bytes more: numbers differ in length.
const MARGIN: u64 = 200;

/// How many bytes of a push with the shortest number go up and come down.
async fn bytes_of_a_push() -> [u64; 2] {
    let shop = Shop::with(Tls::Off);
    let proxy = Proxy::before(shop.port()).await;
    let invoice = sale(&shop).await;
    let sync = ready(&shop, &proxy, Encryption::None, &invoice).await;
    let sent = sync.send(&Invoice { number: "W-Up-0".into(), ..invoice }, None).await.unwrap();
    assert!(matches!(sent, End::Written(_)), "{sent:?}");
    [proxy.passed(Way::Up), proxy.passed(Way::Down)]
}

/// All positions, each handed out once.
struct Positions {
    next: AtomicU64,
    up: u64,
    all: u64,
}

impl Positions {
    fn take(&self) -> Option<(Way, u64)> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        if next.is_multiple_of(1_000) {
            let _gone = writeln!(io::stderr(), "{next} of {} positions", self.all);
        }
        match next.checked_sub(self.up) {
            None => Some((Way::Up, next)),
            Some(down) => (next < self.all).then_some((Way::Down, down)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "every byte takes many minutes: `cargo xtask test --thorough` runs it"]
async fn cut_after_every_single_byte_a_push_is_whole_or_not_there() {
    let shortest = bytes_of_a_push().await;
    let [up, down] = shortest.map(|bytes| bytes + MARGIN);
    let positions = Positions { next: AtomicU64::new(0), up, all: up + down };
    let part = async || {
        let shop = Shop::with(Tls::Off);
        let proxy = Proxy::before(shop.port()).await;
        let mut invoice = sale(&shop).await;
        let (mut cuts, mut whole) = (0, [false; 2]);
        while let Some((way, at)) = positions.take() {
            match cut_once(&shop, &proxy, Encryption::None, &mut invoice, way, at).await {
                true => cuts += 1,
                false => whole[way as usize] = true,
            }
        }
        (cuts, whole)
    };
    let parts = futures_util::future::join_all((0..AT_ONCE).map(|_| part())).await;
    let cuts: u64 = parts.iter().map(|(cuts, _)| cuts).sum();
    let _gone = writeln!(io::stderr(), "{cuts} cuts");
    for way in [Way::Up, Way::Down] {
        let to_its_end = parts.iter().any(|(_, whole)| whole[way as usize]);
        assert!(to_its_end, "{way:?}: a push is longer than what was cut");
    }
    assert!(cuts >= shortest.iter().sum::<u64>(), "only {cuts} cuts");
}
