//! A power cut takes the last second of what PocketBase acknowledged, and at worst of our own store: what is lost is
//! said, what is there is found again, and nothing is booked twice.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::harness::rows::assert_booked;
use crate::harness::{Bill, SOON, Shop, eventually, signal};
use crate::outbox;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_that_takes_the_last_second_loses_no_bill_unseen_and_doubles_none() {
    let mut shop = Shop::open(4).await;
    let early = Bill::plain("M-EARLY");
    let early_id = early.send_batch(&shop).await;
    shop.synced(&early_id).await;

    // What had reached the disk.
    let app_database = shop.app.own_app().join("pb_data/data.db");
    let store = outbox::file(&shop.data());
    let (app_copy, store_copy) =
        (shop.app.folder.path().join("app.copy"), shop.app.folder.path().join("store.copy"));
    // In the store's copy this one waits; in the app's it is not there at all.
    outbox::copy(&store, &store_copy);
    let known_to_the_app = Bill::plain("M-APP");
    let known_id = known_to_the_app.send_batch(&shop).await;
    shop.synced(&known_id).await;
    outbox::copy(&app_database, &app_copy);
    let lost = Bill::plain("M-LOST");
    let lost_id = lost.send_batch(&shop).await;
    shop.synced(&lost_id).await;
    let numbers = BTreeSet::from(["M-APP", "M-EARLY", "M-LOST"]);

    // The power fails; the store forgets two bills, the app one of them.
    shop.kill();
    signal(shop.pocketbase_pid(), "KILL");
    eventually("PocketBase is gone", SOON, async || !shop.app.is_up().await).await;
    outbox::put_back(&store_copy, &store);
    outbox::put_back(&app_copy, &app_database);
    shop.start().await;
    eventually("PocketBase is back", SOON, async || shop.app.is_up().await).await;

    // The one that the app still has is found in RainTek, not booked again.
    let record = shop.synced(&known_id).await;
    assert_booked(&shop.raintek.dump().await, &known_to_the_app, &record, 1);
    // The one that nobody remembers but RainTek is told of to a person; RainTek keeps it.
    eventually("the bill that only RainTek has is told of", Duration::from_secs(90), async || {
        let status = shop.status().await.to_string();
        status.contains("M-LOST")
    })
    .await;
    let problem = shop.status().await["from_raintek"]["problems"][0].clone();
    assert_eq!(problem["state"], "unclaimed", "{problem}");
    assert_eq!(shop.health().await.unwrap().1["state"], "attention");
    let dump = shop.raintek.dump().await;
    let booked: Vec<&str> =
        dump.rows("InvoiceInfo").iter().map(|row| row["InvoiceNo"].as_str().unwrap()).collect();
    assert_eq!(booked.len(), numbers.len(), "each once: {booked:?}");
    assert_eq!(booked.into_iter().collect::<BTreeSet<_>>(), numbers);

    // Made again in the app, it is the same bill again, and all is well.
    let record = shop.synced(&lost.send_batch(&shop).await).await;
    assert_booked(&shop.raintek.dump().await, &lost, &record, 1);
    shop.look().await;
    shop.in_step().await;
}
