//! The product's own client: what it sends, what it must see.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails loudly")]

mod support;

use chrono::{NaiveDate, NaiveDateTime};
use raintek_sandbox::Tls;
use rust_decimal::Decimal;
use support::{error, int, rows, shop, shop_with};
use tiberius::{ColumnData, EncryptionLevel, Query};

fn moment(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap()
}

#[tokio::test]
async fn logs_in_without_encryption_and_is_refused_by_number() {
    let shop = shop(0);
    let plain = EncryptionLevel::NotSupported;
    let mut client = shop.try_connect("RainTek-1", "", plain).await.unwrap();
    assert_eq!(int(&mut client, "SELECT 1").await, Some(1));
    let refused = shop.try_connect("wrong", "Raintech_DB1", plain).await.unwrap_err();
    assert_eq!(refused.code(), Some(18456));
    let refused = shop.try_connect("RainTek-1", "nope", plain).await.unwrap_err();
    assert!(matches!(refused.code(), Some(4060 | 18456)), "{refused}");
    // without TLS there is no login for tiberius even where encryption is off
    for level in [EncryptionLevel::Required, EncryptionLevel::Off] {
        assert!(shop.try_connect("RainTek-1", "", level).await.is_err());
    }
}

#[tokio::test]
async fn every_type_of_parameter_comes_back_as_it_went() {
    let shop = shop(0);
    let mut client = shop.connect().await;
    let (long, blob) = ("ಅ".repeat(5_000), vec![7_u8; 9_000]);
    let at = moment("2026-03-31 23:59:58.1234567");
    let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
    let mut query = Query::new("SELECT @P1, @P2, @P3, @P4, @P5, @P6, @P7, @P8, @P9, @P10, @P11, @P12, @P13");
    query.bind("रसीद 🙂");
    query.bind(long.as_str());
    query.bind(-7_i32);
    query.bind(i64::MAX);
    query.bind(true);
    query.bind(Decimal::new(-123_456, 3));
    query.bind(at);
    query.bind(day);
    query.bind(blob.clone());
    query.bind(2.5_f64);
    query.bind(None::<&str>);
    query.bind(None::<Decimal>);
    query.bind(200_u8);
    let row = query.query(&mut client).await.unwrap().into_row().await.unwrap().unwrap();
    assert_eq!(row.get::<&str, _>(0), Some("रसीद 🙂"));
    assert_eq!(row.get::<&str, _>(1), Some(long.as_str()));
    assert_eq!(row.get::<i32, _>(2), Some(-7));
    assert_eq!(row.get::<i64, _>(3), Some(i64::MAX));
    assert_eq!(row.get::<bool, _>(4), Some(true));
    assert_eq!(row.get::<Decimal, _>(5), Some(Decimal::new(-123_456, 3)));
    assert_eq!(row.get::<NaiveDateTime, _>(6), Some(at));
    assert_eq!(row.get::<NaiveDate, _>(7), Some(day));
    assert_eq!(row.get::<&[u8], _>(8), Some(blob.as_slice()));
    assert_eq!(row.get::<f64, _>(9), Some(2.5));
    assert_eq!(row.get::<&str, _>(10), None);
    assert_eq!(row.get::<Decimal, _>(11), None);
    assert_eq!(row.get::<u8, _>(12), Some(200));
}

#[tokio::test]
async fn columns_keep_what_sql_server_would_keep() {
    let shop = shop(0);
    let mut client = shop.connect().await;
    let mut query = Query::new(
        "INSERT INTO Product (PID, ProductCode, Description, SellingPrice, OpeningStock, AddDate) \
         VALUES (@P1, @P2, @P3, @P4, @P5, @P6); \
         UPDATE Company SET Logo = @P7 WHERE ID = 1",
    );
    query.bind(1_i32);
    query.bind("P-1");
    query.bind("x".repeat(20_000));
    query.bind(Decimal::new(12_345, 3));
    query.bind(Decimal::new(2_505, 4));
    query.bind(moment("2025-04-01 10:20:30.005"));
    query.bind(vec![1_u8, 2, 3]);
    let counts = query.execute(&mut client).await.unwrap();
    assert_eq!(counts.rows_affected(), [1, 1]);
    let sql = "SELECT ProductCode, Description, SellingPrice, OpeningStock, AddDate, MRP FROM Product; SELECT Logo, CompanyName FROM Company";
    let results = client.simple_query(sql).await.unwrap().into_results().await.unwrap();
    let product = results.first().unwrap().first().unwrap();
    assert_eq!(product.get::<&str, _>("ProductCode"), Some(format!("{:30}", "P-1").as_str()));
    assert_eq!(product.get::<&str, _>("Description").map(str::len), Some(20_000));
    assert_eq!(product.get::<Decimal, _>("SellingPrice"), Some(Decimal::new(1_235, 2)));
    assert_eq!(product.get::<Decimal, _>("OpeningStock"), Some(Decimal::new(251, 3)));
    let at = product.get::<NaiveDateTime, _>("AddDate").unwrap();
    // 2/300 of a second, as exactly as tiberius tells it
    assert_eq!(at, moment("2025-04-01 10:20:30.006666666"));
    assert_eq!(product.get::<Decimal, _>("MRP"), None);
    let company = results.get(1).unwrap().first().unwrap();
    assert_eq!(company.get::<&[u8], _>("Logo"), Some([1_u8, 2, 3].as_slice()));
}

#[tokio::test]
async fn every_table_can_be_read_whole() {
    let shop = shop(3);
    let mut client = shop.connect().await;
    let names = rows(&mut client, "SELECT name FROM sys.tables ORDER BY name").await.unwrap();
    assert_eq!(names.len(), 20);
    for name in &names {
        let name = name.get::<&str, _>(0).unwrap();
        rows(&mut client, &format!("SELECT * FROM [{name}]")).await.unwrap();
    }
    let all = rows(&mut client, "SELECT * FROM Product").await.unwrap();
    let row = all.into_iter().next().unwrap();
    assert_eq!(row.len(), 33);
    assert!(row.into_iter().all(|cell| !matches!(cell, ColumnData::I32(None) | ColumnData::Numeric(None))));
}

#[tokio::test]
async fn five_hundred_lines_go_in_as_few_statements() {
    let shop = shop(1);
    let mut client = shop.connect().await;
    client.execute("INSERT INTO InvoiceInfo (Inv_ID) VALUES (1)", &[]).await.unwrap();
    // 4 x 500 = 2,000 parameters
    let marks: Vec<String> = (0..500)
        .map(|n| format!("(@P{}, @P{}, @P{}, @P{})", n * 4 + 1, n * 4 + 2, n * 4 + 3, n * 4 + 4))
        .collect();
    let sql =
        format!("INSERT INTO Invoice_Product (InvoiceID, ProductID, Qty, Descr) VALUES {}", marks.join(", "));
    let mut query = Query::new(sql);
    for n in 0..500 {
        query.bind(1_i32);
        query.bind(1_i32);
        query.bind(Decimal::new(250 + n, 3));
        query.bind(format!("line {n}"));
    }
    assert_eq!(query.execute(&mut client).await.unwrap().total(), 500);
    let sums = rows(&mut client, "SELECT COUNT(*), SUM(Qty) FROM Invoice_Product").await.unwrap();
    assert_eq!(sums.first().unwrap().get::<i32, _>(0), Some(500));
    assert_eq!(sums.first().unwrap().get::<Decimal, _>(1), Some(Decimal::new(249_750, 3)));
}

#[tokio::test]
async fn too_many_rows_or_parameters_are_refused_by_number() {
    let shop = shop(0);
    let mut client = shop.connect().await;
    let rows: Vec<String> = (1..=1001).map(|n| format!("({n})")).collect();
    let sql = format!("INSERT INTO SaleGST (ID) VALUES {}", rows.join(","));
    assert_eq!(error(&mut client, &sql).await, Some(10738));
    let mut query = Query::new("SELECT 1");
    for n in 0..2099 {
        query.bind(n);
    }
    let refused = match query.query(&mut client).await {
        Ok(stream) => stream.into_results().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(refused.code(), Some(8003));
    assert_eq!(int(&mut client, "SELECT COUNT(*) FROM SaleGST").await, Some(0));
}

#[tokio::test]
async fn settings_made_in_sp_executesql_end_with_it() {
    let shop = shop(0);
    let mut client = shop.connect().await;
    client.execute("SET XACT_ABORT ON", &[]).await.unwrap();
    let sql = "INSERT INTO SaleGST (ID) VALUES (1); INSERT INTO SaleGST (ID) VALUES (1); INSERT INTO SaleGST (ID) VALUES (2)";
    assert_eq!(error(&mut client, sql).await, Some(2627));
    assert_eq!(int(&mut client, "SELECT COUNT(*) FROM SaleGST").await, Some(2));
    rows(&mut client, "SET XACT_ABORT ON").await.unwrap();
    assert_eq!(error(&mut client, &sql.replace('2', "3")).await, Some(2627));
    assert_eq!(int(&mut client, "SELECT COUNT(*) FROM SaleGST").await, Some(2));
}

#[tokio::test]
async fn the_lookup_of_a_push_takes_one_round_trip() {
    let shop = shop(20);
    let mut client = shop.connect().await;
    client.begin_transaction().await.unwrap();
    let mut query = Query::new(
        "DECLARE @lock int, @id int, @n int; \
         EXEC @lock = sp_getapplock @Resource = N'ShopSync', @LockMode = N'Exclusive', @LockOwner = N'Transaction', @LockTimeout = 10000; \
         SELECT @n = COUNT(*), @id = MIN(Inv_ID) FROM InvoiceInfo WHERE RTRIM(InvoiceNo) = @P1; \
         SELECT @lock AS LockResult, @n AS Bills, @id AS InvId, \
           (SELECT MAX(Inv_ID) FROM InvoiceInfo WITH (UPDLOCK, HOLDLOCK)) AS MaxInv, \
           (SELECT ISNULL(MAX(ID), 0) + 1 FROM SaleGST WITH (UPDLOCK, HOLDLOCK)) AS NextGst; \
         SELECT PID, RTRIM(ProductCode) AS Code, CostPrice FROM Product WHERE RTRIM(ProductCode) IN (@P2, @P3, @P4) ORDER BY PID; \
         SELECT ID, Name, ContactNo FROM Customer WHERE ContactNo LIKE @P5 ORDER BY ID; \
         SELECT MIN(ID) FROM Customer WHERE RTRIM(Name) = N'Cash'",
    );
    for value in ["GST-0001-2025/26", "P-0002", "p-0003", "P-9999", "%12345%"] {
        query.bind(value);
    }
    let results = query.query(&mut client).await.unwrap().into_results().await.unwrap();
    assert_eq!(results.len(), 4);
    let first = results.first().unwrap().first().unwrap();
    assert_eq!(first.get::<i32, _>("LockResult"), Some(0));
    assert_eq!(first.get::<i32, _>("Bills"), Some(0));
    assert_eq!(first.get::<i32, _>("InvId"), None);
    assert_eq!(first.get::<i32, _>("MaxInv"), None);
    assert_eq!(first.get::<i32, _>("NextGst"), Some(1));
    let codes: Vec<_> = results.get(1).unwrap().iter().map(|row| row.get::<&str, _>("Code")).collect();
    assert_eq!(codes, [Some("P-0002"), Some("P-0003")]);
    assert_eq!(results.get(2).unwrap().len(), 1);
    assert_eq!(results.get(3).unwrap().first().unwrap().get::<i32, _>(0), Some(1));
    client.commit_transaction().await.unwrap();
}

#[tokio::test]
async fn encrypts_all_of_it_or_the_login_alone_as_the_client_wants() {
    for (tls, level) in [
        (Tls::On, EncryptionLevel::Required),
        (Tls::On, EncryptionLevel::On),
        (Tls::On, EncryptionLevel::Off),
        (Tls::Expired, EncryptionLevel::Required),
        (Tls::Expired, EncryptionLevel::Off),
        (Tls::On, EncryptionLevel::NotSupported),
    ] {
        let shop = shop_with(2, tls);
        let mut client = shop.try_connect("RainTek-1", "Raintech_DB1", level).await.unwrap();
        let rows = client.simple_query("SELECT COUNT(*) FROM Product").await.unwrap().into_first_result();
        assert_eq!(rows.await.unwrap()[0].get::<i32, _>(0), Some(2), "{tls:?} {level:?}");
        // longer than one TLS record and than one packet
        let long = "x".repeat(40_000);
        let back =
            client.query("SELECT @P1 AS back", &[&long.as_str()]).await.unwrap().into_row().await.unwrap();
        assert_eq!(back.unwrap().get::<&str, _>(0), Some(long.as_str()), "{tls:?} {level:?}");
    }
}
