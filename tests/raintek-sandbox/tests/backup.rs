//! Backups as a client makes them: written, read back, restored beside the shop, dropped.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

mod support;

use std::path::Path;

use serde_json::json;
use support::{error, int, rows, shop};

const WITH: &str = "WITH COPY_ONLY, CHECKSUM, INIT, FORMAT, NAME = N'ShopSync'";

fn backup(file: &Path) -> String {
    format!("BACKUP DATABASE [Raintech_DB1] TO DISK = N'{}' {WITH}", file.display())
}

fn verify(file: &Path) -> String {
    format!("RESTORE VERIFYONLY FROM DISK = N'{}' WITH CHECKSUM", file.display())
}

#[tokio::test]
async fn a_backup_is_whole_and_can_be_restored_beside_the_shop() {
    let shop = shop(30);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a shop's.bak");
    let quoted = file.display().to_string().replace('\'', "''");
    let mut client = shop.connect().await;
    let disk = format!("DISK = N'{quoted}'");
    rows(&mut client, &format!("BACKUP DATABASE [Raintech_DB1] TO {disk} {WITH}")).await.unwrap();
    rows(&mut client, "DELETE FROM Temp_Stock").await.unwrap();

    rows(&mut client, &format!("RESTORE VERIFYONLY FROM {disk} WITH CHECKSUM")).await.unwrap();
    let header = rows(&mut client, &format!("RESTORE HEADERONLY FROM {disk}")).await.unwrap();
    assert_eq!(header[0].get::<&str, _>("DatabaseName"), Some("Raintech_DB1"));
    assert_eq!(header[0].get::<bool, _>("HasBackupChecksums"), Some(true));
    let files = rows(&mut client, &format!("RESTORE FILELISTONLY FROM {disk}")).await.unwrap();
    let logical: Vec<&str> = files.iter().filter_map(|row| row.get("LogicalName")).collect();
    assert_eq!(logical, ["Raintech_DB1", "Raintech_DB1_log"]);

    let (data, log) = (folder.path().join("drill.mdf"), folder.path().join("drill.ldf"));
    let restore = format!(
        "RESTORE DATABASE [ShopSync_Drill] FROM {disk} WITH MOVE N'Raintech_DB1' TO N'{}', MOVE N'Raintech_DB1_log' \
         TO N'{}', REPLACE",
        data.display(),
        log.display()
    );
    rows(&mut client, &restore).await.unwrap();
    rows(&mut client, &restore).await.expect("REPLACE takes the place of one that is there");
    let count = "SELECT COUNT(*) FROM [ShopSync_Drill].[dbo].[Temp_Stock]";
    assert!(int(&mut client, count).await > Some(20));
    assert_eq!(int(&mut client, "SELECT COUNT(*) FROM [Raintech_DB1].[dbo].[Temp_Stock]").await, Some(0));
    rows(&mut client, "DROP DATABASE [ShopSync_Drill]").await.unwrap();
    assert!(!data.exists() && !log.exists());
    assert_eq!(error(&mut client, count).await, Some(208));
    assert_eq!(error(&mut client, "DROP DATABASE [ShopSync_Drill]").await, Some(3701));
    assert_eq!(error(&mut client, "DROP DATABASE [Raintech_DB1]").await, Some(3701));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_servers_numbers() {
    let shop = shop(5);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.bak");
    let mut client = shop.connect().await;
    rows(&mut client, &backup(&file)).await.unwrap();

    let whole = std::fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    let at = damaged.len() - 100;
    damaged[at] ^= 1;
    for (content, number) in
        [(&damaged[..], 3189), (&whole[..whole.len() - 1], 3203), (&b"something else"[..], 3242)]
    {
        std::fs::write(&file, content).unwrap();
        assert_eq!(error(&mut client, &verify(&file)).await, Some(number));
    }
    let nowhere = folder.path().join("no folder").join("x.bak");
    assert_eq!(error(&mut client, &backup(&nowhere)).await, Some(3201));
    assert_eq!(error(&mut client, &verify(&nowhere)).await, Some(3201));
    shop.order(json!({"action": "deny_backup"})).await;
    let denied = rows(&mut client, &backup(&file)).await.unwrap_err();
    assert!(denied.to_string().contains("Operating system error 5"), "{denied}");
    assert_eq!(
        error(&mut client, "BACKUP DATABASE [Other] TO DISK = N'x' WITH COPY_ONLY, INIT, FORMAT").await,
        Some(911)
    );
    assert_eq!(error(&mut client, "BACKUP DATABASE [Raintech_DB1] TO DISK = N'x'").await, Some(40514));
    shop.order(json!({"action": "deny_restore"})).await;
    let restore = format!("RESTORE DATABASE [ShopSync_Drill] FROM DISK = N'{}' WITH REPLACE", file.display());
    assert_eq!(error(&mut client, &restore).await, Some(262));
    rows(&mut client, "BEGIN TRANSACTION").await.unwrap();
    assert_eq!(error(&mut client, &backup(&file)).await, Some(3021));
}

#[tokio::test]
async fn another_session_sees_how_far_a_backup_is() {
    let shop = shop(30);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.bak");
    let (mut working, mut looking) = (shop.connect().await, shop.connect().await);
    let spid = int(&mut working, "SELECT CAST(@@SPID AS int)").await.unwrap();
    let look = format!(
        "SELECT CAST(percent_complete AS int) AS done FROM sys.dm_exec_requests WHERE session_id = {spid}"
    );
    shop.order(json!({"action": "hold_backup"})).await;
    let text = backup(&file);
    let made = tokio::spawn(async move { rows(&mut working, &text).await.map(|_| ()) });
    let seen = async {
        loop {
            if let Some(done) = int(&mut looking, &look).await.filter(|done| *done > 0) {
                return done;
            }
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(std::time::Duration::from_secs(20), seen).await.unwrap();
    assert!((1..100).contains(&done), "{done}");
    shop.order(json!({"action": "release_backup"})).await;
    made.await.unwrap().unwrap();
    assert_eq!(int(&mut looking, &look).await, None);
}
