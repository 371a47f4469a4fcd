//! The same in shops that have grown.

use std::time::Duration;

use crate::Sizes;
use crate::harness::{Shop, eventually, now};
use crate::process;
use crate::products::{first_select, pass_after};
use crate::push;
use crate::replay;
use crate::seed;
use crate::stage::{self, PATIENCE};
use crate::table::Row;

const MOST_OF_STATEMENTS: f64 = 1.2;

fn own_statements(what: &str, pairs: &[push::Pair]) -> Row {
    let (own, bare, ratio) = push::of_statements(pairs);
    let (own, bare) = (format!("{own:.1} ms"), format!("{bare:.1} ms (its own statements, bare)"));
    Row::at_most(what, own, bare, ratio, MOST_OF_STATEMENTS)
}

/// Shops with more and more invoices.
pub(crate) async fn invoices(sizes: &Sizes) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut per_invoice: Vec<(u32, f64)> = Vec::new();
    for &count in &sizes.invoices {
        let mut shop = stage::open(300).await;
        stage::send(&shop, 1, "completed").await;
        stage::proven(&shop, 1).await;
        // PocketBase goes on.
        shop.kill();
        seed::history(&mut shop, count - 1).await;
        let twin = stage::twin(&mut shop).await;
        shop.start().await;
        stage::in_step(&shop).await;
        let pairs = push::pairs(&shop, &twin, count + 1, sizes.growth_pushes).await;
        rows.push(own_statements(&format!("push beside {count} invoices"), &pairs));
        replay::stop_recording(&shop.raintek).await;
        let (each, memory) = scan(&shop, count).await;
        per_invoice.push((count, each));
        let (first, linear) = (per_invoice[0].1, each / per_invoice[0].1);
        rows.push(Row {
            what: format!("scan beside {count} invoices"),
            measured: format!("{each:.2} ms an invoice; {memory:.1} MiB at most"),
            limit: format!("{first:.2} ms an invoice beside {}", per_invoice[0].0),
            ratio: format!("{linear:.2} x"),
            target: "linear (<= 1.5 x an invoice)".into(),
            reached: Some(linear <= 1.5),
            note: String::new(),
        });
        shop.stop().await;
    }
    rows
}

/// The milliseconds that a whole scan takes for an invoice, from the order to the answer, and the most memory meanwhile.
async fn scan(shop: &Shop, at_least: u32) -> (f64, f64) {
    let (began, mut most) = (now(), 0);
    shop.order(serde_json::json!({"command": "check"})).await;
    let mut each = 0.0;
    eventually("the scan has ended", PATIENCE, async || {
        tokio::time::sleep(Duration::from_millis(60)).await;
        most = most.max(process::look(shop.pid()).anonymous);
        let scan = shop.status().await["scan"].clone();
        let end = &scan["answer"]["end"];
        if let Some(checked) = end["checked"].as_u64() {
            assert!(checked >= u64::from(at_least) && end["mismatches"] == 0, "{scan}");
            each = began.elapsed().as_secs_f64() * 1e3 / checked as f64;
        }
        each > 0.0
    })
    .await;
    (each, most as f64 / 1024.0)
}

/// Shops with more and more products.
pub(crate) async fn catalogues(sizes: &Sizes) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut per_product: Vec<(u32, f64)> = Vec::new();
    for &count in &sizes.catalogues {
        let mut shop = Shop::new(count);
        shop.settings.products.every_seconds = 3600;
        shop.raintek.start().await;
        let started = now();
        shop.start().await;
        pass_after(&shop, 0, count.into()).await;
        let loaded = started.elapsed().as_secs_f64();
        stage::in_step(&shop).await;
        shop.phone().await;
        shop.stop().await;
        let twin = stage::twin(&mut shop).await;
        shop.start().await;
        stage::in_step(&shop).await;
        let pairs = push::pairs(&shop, &twin, 1, sizes.growth_pushes).await;
        rows.push(own_statements(&format!("push beside {count} products"), &pairs));
        replay::recorded(&shop.raintek).await;
        let asked = process::now_us();
        shop.look().await;
        let ended = pass_after(&shop, asked, count.into()).await;
        let began = first_select(&replay::recorded(&shop.raintek).await).unwrap();
        let each = (ended - began) as f64 / f64::from(count);
        per_product.push((count, each));
        let (first, linear) = (per_product[0].1, each / per_product[0].1);
        rows.push(Row {
            what: format!("pass over {count} products"),
            measured: format!(
                "{each:.1} us a product; {:.1} MiB; first load {loaded:.0} s",
                process::look(shop.pid()).anonymous as f64 / 1024.0
            ),
            limit: format!("{first:.1} us a product of {}", per_product[0].0),
            ratio: format!("{linear:.2} x"),
            target: "linear (<= 1.5 x a product)".into(),
            reached: Some(linear <= 1.5),
            note: String::new(),
        });
        shop.stop().await;
    }
    rows
}
