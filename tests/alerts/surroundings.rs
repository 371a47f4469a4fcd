//! What is told of this PC: its clock, its disks, and how the run before ended.

use crate::bot::Bot;
#[cfg(target_os = "linux")]
use crate::harness::disk::SmallDisk;
#[cfg(target_os = "linux")]
use crate::harness::raintek::PASSWORD;
use crate::harness::{Bill, SOON, Shop, eventually};
use crate::shop::shop;

async fn sentence(shop: &Shop) -> String {
    shop.status().await["sentence"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_wrong_clock_is_told_and_shown_until_it_is_right() {
    let bot = Bot::start();
    // Telegram's time is seven minutes ahead: this PC is behind.
    bot.set_clock(Some(7 * 60 + 10));
    let mut shop = shop(&bot).await;
    shop.start().await;
    let told = bot.says("This PC's clock is 7 min behind").await;
    assert!(told.contains("Set the clock"), "{told}");
    eventually("it is shown", SOON, async || sentence(&shop).await.contains("clock is 7 min behind")).await;
    let body = bot.sent().into_iter().find(|body| body["text"] == told.as_str()).unwrap();
    assert_eq!(body["disable_notification"], false, "it rings");
    shop.stop().await;
    bot.set_clock(None);
    shop.start().await;
    bot.says("Resolved: this PC's clock is right again.").await;
    shop.in_step().await;
    shop.stop().await;
    assert_eq!(bot.saying("min behind").len(), 1, "{:?}", bot.texts());
}

#[tokio::test]
async fn a_disk_that_fills_up_is_told_before_it_is_full() {
    let bot = Bot::start();
    let mut shop = shop(&bot).await;
    // More than any disk has.
    shop.settings.alerts.disk_free_mb = 1 << 40;
    shop.start().await;
    let told = bot.says("is nearly full").await;
    assert!(told.contains("left): backups stop first, then invoices. Free some space."), "{told}");
    eventually("it is shown", SOON, async || sentence(&shop).await.contains("is nearly full")).await;
    // Data and backups lie on one disk: it is told once.
    assert_eq!(told.matches("nearly full").count(), 1, "{told}");
    shop.stop().await;
    shop.settings.alerts.disk_free_mb = 1;
    shop.start().await;
    bot.says("has room again.").await;
    shop.in_step().await;
    shop.stop().await;
    assert_eq!(bot.saying("nearly full").len(), 1, "{:?}", bot.texts());
}

#[tokio::test]
async fn an_end_without_warning_is_told_with_the_next_start() {
    let bot = Bot::start();
    let mut shop = shop(&bot).await;
    shop.start().await;
    shop.in_step().await;
    assert_eq!(bot.says("Sync started.").await.lines().find(|line| line.contains("without warning")), None);
    shop.kill();
    Bill::plain("GST-0001-2026/27").send(&shop).await;
    shop.start().await;
    let told = bot.says("Caught up 1 pending invoice.").await;
    assert!(
        told.contains("Sync started. Caught up 1 pending invoice. ShopSync was ended without warning at "),
        "{told}"
    );
    shop.stop().await;
    shop.start().await;
    eventually("the third start is told", SOON, async || bot.saying("Sync started.").len() == 3).await;
    assert_eq!(bot.saying("without warning").len(), 1, "{:?}", bot.texts());
    shop.stop().await;
}

/// Alerts are kept in the store before they are sent; this one cannot be.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_although_nothing_can_be_stored() {
    let bot = Bot::start();
    let mut shop = Shop::new(4);
    let disk = SmallDisk::under(&mut shop);
    shop.settings.telegram = bot.settings();
    shop.settings.alerts.lost_after_seconds = 2;
    shop.settings.push.look_every_seconds = 1;
    for (name, secret) in [("raintek.password", PASSWORD), ("telegram.token", crate::bot::TOKEN)] {
        let said = shop.cli_with(&["secret", name], secret).await;
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    bot.says("Sync started.").await;
    disk.fill().await;
    let id = Bill::plain("GST-0001-2026/27").send(&shop).await;
    let told = bot.says("The disk is full").await;
    assert!(told.ends_with("Nothing is lost."), "{told}");
    disk.make_room();
    bot.says("Resolved: ShopSync can store again.").await;
    shop.synced(&id).await;
    shop.stop().await;
    assert_eq!(bot.saying("The disk is full").len(), 1, "{:?}", bot.texts());
}
