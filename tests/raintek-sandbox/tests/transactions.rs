//! Transactions, locks and faults, as several clients see them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails loudly")]

mod support;

use std::time::Duration;

use serde_json::json;
use support::{Shop, Sql, error, int, rows, shop};

const COUNT: &str = "SELECT COUNT(*) FROM SaleGST";

async fn insert(client: &mut Sql, id: i32) -> tiberius::Result<u64> {
    client
        .execute("INSERT INTO SaleGST (ID, InvNo) VALUES (@P1, N'x')", &[&id])
        .await
        .map(|result| result.total())
}

/// Runs a statement on a connection of its own, beside the test.
async fn beside(shop: &Shop, sql: &'static str) -> tokio::task::JoinHandle<Option<u32>> {
    let mut client = shop.connect().await;
    tokio::spawn(async move { error(&mut client, sql).await })
}

#[tokio::test]
async fn others_see_a_transaction_only_when_it_is_committed() {
    let shop = shop(0);
    let (mut ours, mut theirs) = (shop.connect().await, shop.connect().await);
    ours.begin_transaction().await.unwrap();
    insert(&mut ours, 1).await.unwrap();
    assert_eq!(int(&mut ours, COUNT).await, Some(1));
    assert_eq!(int(&mut theirs, COUNT).await, Some(0));
    ours.commit_transaction().await.unwrap();
    assert_eq!(int(&mut theirs, COUNT).await, Some(1));
    ours.begin_transaction().await.unwrap();
    insert(&mut ours, 2).await.unwrap();
    ours.rollback_transaction().await.unwrap();
    assert_eq!(int(&mut ours, COUNT).await, Some(1));
    // a commit without a transaction, by request
    assert_eq!(ours.commit_transaction().await.unwrap_err().code(), Some(3902));
}

#[tokio::test]
async fn read_committed_reads_what_was_committed_a_moment_ago() {
    let shop = shop(0);
    let (mut ours, mut theirs) = (shop.connect().await, shop.connect().await);
    ours.begin_transaction().await.unwrap();
    assert_eq!(int(&mut ours, COUNT).await, Some(0));
    // a plain read took no lock
    insert(&mut theirs, 1).await.unwrap();
    assert_eq!(int(&mut ours, COUNT).await, Some(1));
    insert(&mut ours, 2).await.unwrap();
    ours.commit_transaction().await.unwrap();
    assert_eq!(int(&mut theirs, COUNT).await, Some(2));
}

#[tokio::test]
async fn a_connection_that_breaks_rolls_back() {
    let shop = shop(0);
    let mut ours = shop.connect().await;
    ours.begin_transaction().await.unwrap();
    insert(&mut ours, 1).await.unwrap();
    let second = beside(&shop, "INSERT INTO SaleGST (ID) VALUES (1)").await;
    shop.waiting(1).await;
    drop(ours);
    assert_eq!(second.await.unwrap(), None);
}

#[tokio::test]
async fn a_second_writer_waits_for_the_first() {
    let shop = shop(0);
    let mut ours = shop.connect().await;
    ours.begin_transaction().await.unwrap();
    insert(&mut ours, 1).await.unwrap();
    let second = beside(&shop, "INSERT INTO SaleGST (ID) VALUES (1)").await;
    shop.waiting(1).await;
    assert!(!second.is_finished());
    ours.commit_transaction().await.unwrap();
    assert_eq!(second.await.unwrap(), Some(2627));
}

#[tokio::test]
async fn updlock_makes_max_plus_one_safe() {
    let shop = shop(0);
    let mut ours = shop.connect().await;
    ours.begin_transaction().await.unwrap();
    assert_eq!(int(&mut ours, "SELECT MAX(ID) FROM SaleGST WITH (UPDLOCK, HOLDLOCK)").await, None);
    let second = beside(&shop, "INSERT INTO SaleGST (ID) VALUES (1)").await;
    shop.waiting(1).await;
    assert_eq!(insert(&mut ours, 1).await.unwrap(), 1);
    ours.commit_transaction().await.unwrap();
    assert_eq!(second.await.unwrap(), Some(2627));
}

#[tokio::test]
async fn a_lock_timeout_is_1222() {
    let shop = shop(0);
    let (mut ours, mut theirs) = (shop.connect().await, shop.connect().await);
    ours.begin_transaction().await.unwrap();
    insert(&mut ours, 1).await.unwrap();
    rows(&mut theirs, "SET LOCK_TIMEOUT 30").await.unwrap();
    assert_eq!(insert(&mut theirs, 2).await.unwrap_err().code(), Some(1222));
    assert_eq!(int(&mut theirs, "SELECT 5").await, Some(5));
}

#[tokio::test]
async fn an_application_lock_waits_times_out_and_ends_with_its_transaction() {
    const LOCK: &str = "DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'ShopSync', @LockMode = N'Exclusive', \
                        @LockOwner = N'Transaction', @LockTimeout = 60000; SELECT @r";
    let shop = shop(0);
    let (mut ours, mut theirs) = (shop.connect().await, shop.connect().await);
    ours.begin_transaction().await.unwrap();
    theirs.begin_transaction().await.unwrap();
    assert_eq!(int(&mut ours, LOCK).await, Some(0));
    assert_eq!(int(&mut ours, LOCK).await, Some(0));
    assert_eq!(int(&mut theirs, &LOCK.replace("60000", "0")).await, Some(-1));
    let waiter = tokio::spawn(async move { int(&mut theirs, LOCK).await });
    shop.waiting(1).await;
    ours.commit_transaction().await.unwrap();
    assert_eq!(waiter.await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_circle_of_waiting_ends_with_a_victim() {
    const LOCK: &str = "DECLARE @r int; EXEC @r = sp_getapplock N'a', N'Exclusive'; SELECT @r";
    let shop = shop(0);
    let (mut ours, mut theirs) = (shop.connect().await, shop.connect().await);
    ours.begin_transaction().await.unwrap();
    theirs.begin_transaction().await.unwrap();
    insert(&mut ours, 1).await.unwrap();
    assert_eq!(int(&mut theirs, LOCK).await, Some(0));
    let waiter = tokio::spawn(async move { int(&mut ours, LOCK).await });
    shop.waiting(1).await;
    assert_eq!(insert(&mut theirs, 2).await.unwrap_err().code(), Some(1205));
    // the victim's transaction is gone, and its locks with it
    assert_eq!(int(&mut theirs, "SELECT @@TRANCOUNT").await, Some(0));
    assert_eq!(waiter.await.unwrap(), Some(1));
}

#[tokio::test]
async fn an_error_with_xact_abort_loses_the_whole_transaction() {
    let shop = shop(0);
    let mut client = shop.connect().await;
    rows(&mut client, "SET XACT_ABORT ON").await.unwrap();
    client.begin_transaction().await.unwrap();
    insert(&mut client, 1).await.unwrap();
    assert_eq!(insert(&mut client, 1).await.unwrap_err().code(), Some(2627));
    assert_eq!(client.commit_transaction().await.unwrap_err().code(), Some(3902));
    assert_eq!(int(&mut client, COUNT).await, Some(0));
}

#[tokio::test]
async fn a_conversion_that_fails_loses_the_transaction_even_without_xact_abort() {
    let shop = shop(0);
    let mut client = shop.connect().await;
    insert(&mut client, 1).await.unwrap();
    let sql = "BEGIN TRAN; UPDATE SaleGST SET InvNo = N'changed'; UPDATE SaleGST SET ID = N'x'";
    assert_eq!(error(&mut client, sql).await, Some(245));
    let sql = "SELECT COUNT(*) FROM SaleGST WHERE InvNo = N'x' AND @@TRANCOUNT = 0";
    assert_eq!(int(&mut client, sql).await, Some(1));
}

#[tokio::test]
async fn an_attention_ends_a_wait_and_leaves_the_connection_usable() {
    let shop = shop(0);
    let (mut ours, mut theirs) = (shop.connect().await, shop.connect().await);
    ours.begin_transaction().await.unwrap();
    insert(&mut ours, 1).await.unwrap();
    let gave_up = tokio::time::timeout(Duration::from_millis(50), insert(&mut theirs, 2)).await;
    assert!(gave_up.is_err());
    theirs.cancel_query().await.unwrap();
    shop.waiting(0).await;
    assert_eq!(int(&mut theirs, COUNT).await, Some(0));
    ours.commit_transaction().await.unwrap();
    assert_eq!(int(&mut theirs, COUNT).await, Some(1));
}

#[tokio::test]
async fn a_commit_can_be_lost_before_it_happens_or_after() {
    let shop = shop(0);
    for (order, by_request, expected) in [
        ("drop_before_commit", true, 0),
        ("drop_before_commit", false, 0),
        ("drop_after_commit", true, 1),
        ("drop_after_commit", false, 2),
    ] {
        let mut client = shop.connect().await;
        client.begin_transaction().await.unwrap();
        insert(&mut client, expected + 10).await.unwrap();
        shop.order(json!({ "action": order })).await;
        let lost = if by_request {
            client.commit_transaction().await.is_err()
        } else {
            client.simple_query("COMMIT").await.is_err()
        };
        assert!(lost, "{order}");
        let mut client = shop.connect().await;
        assert_eq!(int(&mut client, COUNT).await, Some(expected), "{order}");
    }
}

#[tokio::test]
async fn errors_hangs_and_refusals_come_as_ordered_and_go() {
    let shop = shop(0);
    let mut client = shop.connect().await;
    shop.order(json!({ "action": "error", "number": 1205, "count": 1, "on": "insert into salegst" })).await;
    assert_eq!(int(&mut client, COUNT).await, Some(0));
    assert_eq!(insert(&mut client, 1).await.unwrap_err().code(), Some(1205));
    assert_eq!(insert(&mut client, 1).await.unwrap(), 1);

    shop.order(json!({ "action": "hang" })).await;
    let hanging = tokio::spawn(async move { int(&mut client, COUNT).await });
    // it arrived, and is not answered
    shop.until("requests", 4).await;
    assert!(!hanging.is_finished());
    shop.order(json!({ "action": "resume" })).await;
    assert_eq!(hanging.await.unwrap(), Some(1));

    let mut client = shop.connect().await;
    shop.order(json!({ "action": "refuse" })).await;
    assert!(client.simple_query("SELECT 1").await.is_err());
    assert!(shop.try_connect("RainTek-1", "", tiberius::EncryptionLevel::NotSupported).await.is_err());
    shop.order(json!({ "action": "accept" })).await;
    assert_eq!(int(&mut shop.connect().await, COUNT).await, Some(1));
}
