//! Late, in single bytes, with an old certificate, and not at all.

use std::time::Duration;

use raintek_sandbox::Tls;
use shopsync::model::fault::Scope;
use shopsync::model::settings::{Encryption, PostingSettings};
use shopsync::ports::Pos as _;

use crate::proxy::Proxy;
use crate::sale;
use crate::shop::{End, Shop};

/// Longer than a statement may take (30 s) and a connection (15 s).
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_and_in_single_bytes_a_push_goes_through_with_and_without_encryption() {
    for (tls, encryption) in
        [(Tls::Off, Encryption::None), (Tls::On, Encryption::Required), (Tls::Expired, Encryption::Auto)]
    {
        let shop = Shop::with(tls);
        let proxy = Proxy::before(shop.port()).await;
        let mut invoice = sale(&shop).await;
        let sync = shop.sync_at(proxy.port, encryption, PostingSettings::default());
        for (at, (latency, piece)) in [(0, 1), (40, 0), (5, 700)].into_iter().enumerate() {
            proxy.slow(Duration::from_millis(latency), piece);
            invoice.number = format!("SLOW-{at}");
            let sent = sync.send(&invoice, None).await.unwrap();
            assert!(matches!(sent, End::Written(_)), "{tls:?} {latency} ms, {piece} bytes: {sent:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_encryption_is_never_spoken_to_in_the_clear_unless_the_settings_say_so() {
    let shop = Shop::with(Tls::Off);
    for encryption in [Encryption::Auto, Encryption::Required] {
        let sync = shop.sync_at(shop.port(), encryption, PostingSettings::default());
        let fault = sync.raintek.products().await.unwrap_err();
        assert!(fault.sentence.contains("encryption = \"none\""), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_says_nothing_is_given_up_in_time_and_the_next_try_goes_through() {
    let shop = Shop::with(Tls::Off);
    let proxy = Proxy::before(shop.port()).await;
    let sync = shop.sync_at(proxy.port, Encryption::None, PostingSettings::default());
    sync.pull_products().await;
    proxy.silence(true);
    let fault = tokio::time::timeout(PATIENCE, sync.raintek.products()).await.expect("it waits for ever");
    assert_eq!(fault.unwrap_err().scope, Scope::Pos, "a whole side is away");
    proxy.silence(false);
    sync.pull_products().await;
}
