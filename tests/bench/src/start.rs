//! From the start of the program to the first proven state.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use shopsync::billing::{OWN_IDENTITY, OWN_PASSWORD_SECRET};

use crate::Sizes;
use crate::harness::{Shop, now, shopsync};
use crate::pocketbase;
use crate::replay;
use crate::stage;
use crate::stats::{firsts, median, median_ratio, seconds};
use crate::table::Row;

pub(crate) async fn measure(sizes: &Sizes) -> Vec<Row> {
    let mut shop = stage::open(300).await;
    shop.stop().await;
    let mut pairs = Vec::new();
    for _ in 0..sizes.starts {
        let limit = limit(&shop).await;
        pairs.push((program(&mut shop).await, limit));
    }
    let row = Row::at_most(
        "start to first proven state (PocketBase is started, too)",
        format!("{:.0} ms", median(&firsts(&pairs)) * 1e3),
        format!("{:.0} ms (process start + first answers of both sides)", median(&seconds(&pairs)) * 1e3),
        median_ratio(&pairs),
        1.3,
    );
    vec![row.note(format!(
        "{} pairs. The limit: `shopsync --version`, PocketBase from its start to the first answered list as superuser, and \
         signing in to RainTek with one answer, one after the other.",
        pairs.len()
    ))]
}

async fn program(shop: &mut Shop) -> f64 {
    let start = now();
    shop.spawn();
    loop {
        let health = shop.health().await;
        if health.is_some_and(|(_, health)| health["state"] == "in_step") {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "it does not get in step");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = start.elapsed().as_secs_f64();
    shop.stop().await;
    took
}

async fn limit(shop: &Shop) -> f64 {
    let start = now();
    let said = Command::new(shopsync()).arg("--version").stdout(Stdio::null()).status().unwrap();
    assert!(said.success());
    let mut server = pocketbase::start_service(&shop.app.own_app(), shop.app.port);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = &shop.app.settings.url;
    while !http.get(format!("{url}/api/health")).send().await.is_ok_and(|answer| answer.status().is_success())
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let login = json!({"identity": OWN_IDENTITY, "password": shop.secret(OWN_PASSWORD_SECRET)});
    let path = format!("{url}/api/collections/_superusers/auth-with-password");
    let login: serde_json::Value = http.post(path).json(&login).send().await.unwrap().json().await.unwrap();
    let list = http.get(format!("{url}/api/collections/invoices/records?perPage=1"));
    let list = list.header("Authorization", login["token"].as_str().unwrap()).send().await.unwrap();
    assert!(list.status().is_success());
    let mut bare = replay::connect(&shop.raintek).await;
    replay::batch(&mut bare, "SELECT CAST(MAX(Inv_ID) AS int) FROM InvoiceInfo").await;
    let took = start.elapsed().as_secs_f64();
    server.kill().await.unwrap();
    took
}
