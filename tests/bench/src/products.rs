//! Many products: the first load, a pass that finds nothing to do, and the program at rest afterwards.

use std::time::Duration;

use serde_json::{Value, json};
use shopsync::billing::{OWN_IDENTITY, OWN_PASSWORD_SECRET};

use crate::Sizes;
use crate::harness::{Shop, eventually, free_port, now};
use crate::idle;
use crate::pocketbase;
use crate::process::now_us;
use crate::replay;
use crate::stage::PATIENCE;
use crate::stats::{firsts, median, median_ratio, seconds};
use crate::table::Row;
use crate::tap::Tap;

/// With what a products pass begins.
const FIRST_SELECT: &str = "[Product_OpeningStock]";

pub(crate) async fn measure(sizes: &Sizes) -> Vec<Row> {
    let mut shop = Shop::new(sizes.products);
    shop.raintek.start().await;
    // The app is laid down while RainTek is away: no product is in it yet.
    shop.raintek.order(json!({"action": "refuse"})).await;
    shop.start().await;
    eventually("the app is set up", PATIENCE, async || {
        shop.status().await["billing"]["connected"] == json!(true)
    })
    .await;
    shop.stop().await;
    let other = tempfile::tempdir().unwrap();
    copy_folder(&shop.app.own_app(), other.path());

    // The program finds the app running, at an address where what it sends is kept.
    let _app = pocketbase::start_service(&shop.app.own_app(), shop.app.port);
    let tap = Tap::before(shop.app.port).await;
    eventually("the app answers", PATIENCE, async || shop.app.is_up().await).await;
    shop.app.settings.url = format!("http://127.0.0.1:{}", tap.port);
    shop.settings.products.every_seconds = 300;
    shop.raintek.order(json!({"action": "accept"})).await;
    replay::record(&shop.raintek).await;
    shop.start().await;
    let ended = pass_after(&shop, 0, u64::from(sizes.products)).await;
    let began = first_select(&replay::recorded(&shop.raintek).await).expect("the products were read");
    let loaded = (ended - began) as f64 / 1e6;
    let bodies: Vec<Vec<u8>> =
        tap.take().into_iter().filter(|asked| asked.path == "/api/batch").map(|asked| asked.body).collect();

    let mut rows = idle::measure(&shop, sizes).await;
    let bare = bare_load(&shop, other.path(), &bodies).await;
    rows.insert(
        0,
        Row::at_most(
            &format!("first load of {} products", sizes.products),
            format!("{loaded:.1} s"),
            format!("{bare:.1} s (bare loop of the same {} batches)", bodies.len()),
            loaded / bare,
            1.2,
        )
        .note("From the first word of the pass to RainTek until everything is in the app."),
    );
    rows.insert(1, unchanged(&shop, &tap, sizes).await);
    shop.stop().await;
    rows
}

/// Posts the batches one after the other into a copy of the app from before.
async fn bare_load(shop: &Shop, folder: &std::path::Path, bodies: &[Vec<u8>]) -> f64 {
    let port = free_port();
    let _other = pocketbase::start_service(folder, port);
    let url = format!("http://127.0.0.1:{port}");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    eventually("the copy of the app answers", PATIENCE, async || {
        http.get(format!("{url}/api/health")).send().await.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    let login = json!({"identity": OWN_IDENTITY, "password": shop.secret(OWN_PASSWORD_SECRET)});
    let path = format!("{url}/api/collections/_superusers/auth-with-password");
    let login: Value = http.post(path).json(&login).send().await.unwrap().json().await.unwrap();
    let token = login["token"].as_str().unwrap();
    let start = now();
    for body in bodies {
        let post = http.post(format!("{url}/api/batch")).header("Authorization", token);
        let answer = post.header("Content-Type", "application/json").body(body.clone()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.bytes().await.unwrap();
    }
    start.elapsed().as_secs_f64()
}

/// Passes that find nothing to do, each beside the bare SELECTs.
async fn unchanged(shop: &Shop, tap: &Tap, sizes: &Sizes) -> Row {
    let caller = shop.app.sign_in("_superusers", OWN_IDENTITY, &shop.secret(OWN_PASSWORD_SECRET)).await;
    let stamp = async || caller.get("/api/collections/products/records?sort=-updated&perPage=1").await;
    let mut pairs = Vec::new();
    let before = stamp().await;
    for _ in 0..sizes.passes {
        replay::recorded(&shop.raintek).await;
        let writes = shop.raintek.state().await.unwrap()["writes"].clone();
        tap.take();
        let asked = now_us();
        shop.look().await;
        let ended = pass_after(shop, asked, u64::from(sizes.products)).await;
        let all = replay::recorded(&shop.raintek).await;
        let began = first_select(&all).unwrap();
        let sent = tap.take();
        let wrote = |asked: &&crate::tap::Request| {
            asked.method != "GET" && (asked.path.contains("batch") || asked.path.contains("products"))
        };
        assert_eq!(
            sent.iter().filter(wrote).count(),
            0,
            "a pass without changes writes nothing into the app"
        );
        assert_eq!(shop.raintek.state().await.unwrap()["writes"], writes, "nor into RainTek");
        let selects: Vec<String> =
            all.into_iter().filter(|asked| asked.sql.contains("Product")).map(|asked| asked.sql).collect();
        let mut bare = replay::connect(&shop.raintek).await;
        let start = now();
        for select in &selects {
            replay::batch(&mut bare, select).await;
        }
        pairs.push(((ended - began) as f64 / 1e6, start.elapsed().as_secs_f64()));
    }
    assert_eq!(stamp().await, before, "no product was touched");
    Row::at_most(
        &format!("pass without changes over {} products, nothing written", sizes.products),
        format!("{:.2} s", median(&firsts(&pairs))),
        format!("{:.2} s (bare SELECTs)", median(&seconds(&pairs))),
        median_ratio(&pairs),
        1.5,
    )
    .note(format!(
        "{} pairs. That nothing was written is asserted at three places: no batch left the program, RainTek's server counts \
         no write, and the app's newest product is as it was.",
        pairs.len()
    ))
}

/// The end of a products pass over so many, in microseconds since 1970; one that ended after `moment`.
pub(crate) async fn pass_after(shop: &Shop, moment: u64, total: u64) -> u64 {
    let mut ended = 0;
    eventually("a products pass ends", PATIENCE, async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let status = shop.status().await;
        let at = status["products"]["last_pass"].as_str().unwrap_or_default().to_owned();
        let at = chrono::DateTime::parse_from_rfc3339(&at).map_or(0, |at| at.timestamp_micros());
        ended = u64::try_from(at).unwrap();
        ended > moment && status["products"]["total"].as_u64() >= Some(total)
    })
    .await;
    ended
}

pub(crate) fn first_select(all: &[replay::Asked]) -> Option<u64> {
    all.iter().find(|asked| asked.sql.contains(FIRST_SELECT)).map(|asked| asked.began)
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}
