//! v02: what RainTek sells stands in the app, field by field; what a phone added is its own until RainTek has it too.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::bill::dec;
use crate::harness::{SOON, Shop, eventually};
use crate::pocketbase::Caller;

/// The app's product of a code, if it has one.
pub(crate) async fn product(phone: &Caller, code: &str) -> Option<Value> {
    let path = format!("/api/collections/products/records?filter=(product_code='{code}')");
    let found = phone.get(&path).await["items"].as_array().unwrap().clone();
    assert!(found.len() < 2, "products of the code {code}");
    found.first().cloned()
}

/// Waits until the app's product has these values, with no more help than the poll.
pub(crate) async fn becomes(phone: &Caller, code: &str, fields: Value) -> Value {
    let mut found = Value::Null;
    let what = format!("the app's product {code} has {fields}");
    eventually(&what, SOON, async || {
        found = product(phone, code).await.unwrap_or_default();
        fields.as_object().unwrap().iter().all(|(name, value)| same(&found[name], value))
    })
    .await;
    found
}

fn same(found: &Value, wanted: &Value) -> bool {
    let number =
        |value: &Value| value.as_number().and_then(|number| number.to_string().parse::<Decimal>().ok());
    match (number(found), number(wanted)) {
        (Some(found), Some(wanted)) => found == wanted,
        _ => found == wanted,
    }
}

#[tokio::test]
async fn v02_product() {
    let mut shop = Shop::new(8);
    shop.settings.products.every_seconds = 1;
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    let phone = shop.phone().await;

    // The shop's first load: every product, as its tables have it.
    let dump = shop.raintek.dump().await;
    for row in dump.rows("Product") {
        let code = row["ProductCode"].as_str().unwrap();
        let found = product(&phone, code).await.unwrap_or_else(|| panic!("{code} is not in the app"));
        for (field, wanted) in wanted(row) {
            assert!(same(&found[field], &wanted), "{code}: {field} is {} and not {wanted}", found[field]);
        }
        assert!(!found["last_synced_at"].as_str().unwrap().is_empty());
    }
    assert_eq!(phone.get("/api/collections/products/records").await["totalItems"], 8);

    // One more, by the till.
    let till = &shop.raintek;
    till.till(&[
        "product",
        "--code",
        "NEW-1",
        "--name",
        "Cow Ghee 500ml",
        "--price",
        "349.50",
        "--gst",
        "12",
        "--unit",
        "BTL",
        "--tax-mode",
        "Inclusive",
        "--barcode",
        "8901234500017",
        "--stock",
        "7.250",
    ])
    .await;
    let made = becomes(
        &phone,
        "NEW-1",
        json!({"name": "Cow Ghee 500ml", "retail_price": 349.5, "mrp": 349.5, "gst_rate": 12,
        "barcode": "8901234500017", "current_stock": 7.25, "unit": "BTL", "active": true, "hsn_code": ""}),
    )
    .await;
    let pid = till.dump().await.product("NEW-1")["PID"].clone();
    assert_eq!(made["raintek_product_id"], pid);
    // Later lots: the newest barcode and MRP that are any, and the sum of all.
    let pid = pid.as_str().unwrap();
    let lot = async |barcode: &str, mrp: &str, quantity: &str| {
        till.sql(&format!("INSERT INTO Product_OpeningStock (ProductID, Qty, MRP, Barcode) VALUES ({pid}, {quantity}, {mrp}, N'{barcode}')"))
            .await;
    };
    till.sql("UPDATE Product SET Barcode = N'OWN-1' WHERE ProductCode = N'NEW-1'").await;
    lot("8901234500024", "360.00", "2.5").await;
    becomes(&phone, "NEW-1", json!({"barcode": "8901234500024", "mrp": 360, "current_stock": 9.75})).await;
    lot("0", "0.00", "1").await;
    lot("", "0.00", "1").await;
    becomes(&phone, "NEW-1", json!({"barcode": "8901234500024", "mrp": 360, "current_stock": 11.75})).await;
    // No lot: the product's own.
    till.till(&["product", "--code", "NEW-2", "--name", "Matchbox", "--price", "2"]).await;
    let own = becomes(&phone, "NEW-2", json!({"barcode": "", "mrp": 2, "current_stock": 0})).await;
    till.sql(
        "UPDATE Product SET Barcode = N'MATCH-2', MRP = 2.50, HSNCode = N'3605' WHERE ProductCode = N'NEW-2'",
    )
    .await;
    let changed =
        becomes(&phone, "NEW-2", json!({"barcode": "MATCH-2", "mrp": 2.5, "hsn_code": "3605"})).await;
    assert_eq!(changed["id"], own["id"]);
}

/// mapping.md, "RainTek -> app", worked out from the tables' own texts.
fn wanted(row: &Value) -> Vec<(&'static str, Value)> {
    let lots = row["Product_OpeningStock"].as_array().unwrap();
    let text = |cell: &Value| cell.as_str().unwrap().trim().to_owned();
    let cell = |name: &str| text(&row[name]);
    let json = |value: Decimal| Value::Number(value.normalize().to_string().parse().unwrap());
    let newest = |name: &str, counts: &dyn Fn(&str) -> bool| {
        lots.iter().rev().map(|lot| text(&lot[name])).find(|value| counts(value))
    };
    let barcode = newest("Barcode", &|code| !matches!(code, "" | "0"))
        .unwrap_or_else(|| if cell("Barcode") == "0" { String::new() } else { cell("Barcode") });
    let mrp = newest("MRP", &|mrp| dec(mrp) > Decimal::ZERO).unwrap_or_else(|| cell("MRP"));
    let stock = lots.iter().map(|lot| dec(&text(&lot["Qty"]))).sum();
    vec![
        ("product_code", json!(cell("ProductCode"))),
        ("raintek_product_id", json!(cell("PID"))),
        ("name", json!(cell("ProductName"))),
        ("hsn_code", json!(cell("HSNCode"))),
        ("unit", json!(cell("SalesUnit"))),
        ("retail_price", json(dec(&cell("SellingPrice")))),
        ("mrp", json(dec(&mrp))),
        ("barcode", json!(barcode)),
        ("current_stock", json(stock)),
        ("gst_rate", json(dec(&cell("CGST")) + dec(&cell("SGST")))),
        ("active", json!(cell("Status") != "No")),
    ]
}

#[tokio::test]
async fn v02_product_of_a_phone() {
    let shop = Shop::open(2).await;
    let phone = shop.phone().await;
    let mut records = Vec::new();
    for (code, barcode) in [("PH-1", "555001"), ("PH-2", "555002"), ("PH-3", "")] {
        let product = json!({"product_code": code, "name": "Blue pen", "barcode": barcode, "retail_price": 9, "active": true,
            "raintek_product_id": "77"});
        records.push(phone.make("products", product).await);
    }
    assert_eq!(records[0]["raintek_product_id"], "", "the link is ShopSync's");
    shop.pass().await;
    for record in &records {
        let id = record["id"].as_str().unwrap();
        assert_eq!(&phone.read("products", id).await, record, "left alone");
    }

    // RainTek gets the code of one, and the barcode of another.
    shop.raintek
        .till(&["product", "--code", "PH-1", "--name", "Pen blue", "--price", "10", "--barcode", "123001"])
        .await;
    shop.raintek
        .till(&["product", "--code", "R-77", "--name", "Pen", "--price", "11", "--barcode", "555002"])
        .await;
    shop.pass().await;
    let dump = shop.raintek.dump().await;
    for (record, code, price) in [(&records[0], "PH-1", 10), (&records[1], "R-77", 11)] {
        let now = phone.read("products", record["id"].as_str().unwrap()).await;
        assert_eq!(now["product_code"], code);
        assert_eq!(now["raintek_product_id"], dump.product(code)["PID"], "{code} is linked");
        assert_eq!((&now["retail_price"], &now["active"]), (&json!(price), &json!(true)));
    }
    assert_eq!(
        phone.read("products", records[2]["id"].as_str().unwrap()).await,
        records[2],
        "still the phone's own"
    );
    assert_eq!(phone.get("/api/collections/products/records").await["totalItems"], 5, "none doubled");
}
