//! Products are written in batches, and one that is refused stops no other.

use rust_decimal::Decimal;
use serde_json::json;
use shopsync::model::fault::FaultKind;
use shopsync::model::ids::RecordId;
use shopsync::model::product::{ProductFields, ProductWrite};
use shopsync::ports::Billing as _;

use crate::pocketbase::Shop;

fn fields(code: &str, price: &str) -> ProductFields {
    ProductFields {
        code: code.into(),
        pos_id: format!("1{}", code.trim_start_matches("P-")),
        name: format!("Product {code} \u{0905}"),
        retail_price: price.parse().unwrap(),
        mrp: "99.9".parse().unwrap(),
        barcode: "890".into(),
        current_stock: "1.125".parse().unwrap(),
        hsn_code: "1006".into(),
        gst_rate: Decimal::from(18),
        unit: "KG".into(),
        active: true,
    }
}

fn create(number: usize) -> ProductWrite {
    ProductWrite::Create {
        id: RecordId::new(format!("p{number:014}")),
        fields: fields(&format!("P-{number}"), "55.50"),
    }
}

#[tokio::test]
async fn one_bad_record_of_many_is_named_and_the_rest_is_written() {
    let shop = Shop::new();
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let phone = shop.as_phone().await;
    phone.make("products", json!({"product_code": "P-130", "name": "Blue pen"})).await;

    let mut writes: Vec<ProductWrite> = (0..250).map(create).collect();
    let gone = RecordId::new("gone00000000000");
    writes.push(ProductWrite::Update { id: gone.clone(), fields: fields("P-900", "1") });
    writes.push(ProductWrite::Deactivate { id: gone });
    for round in ["first", "again, as after a lost answer"] {
        let results = app.write_products(&writes).await.unwrap();
        assert_eq!(results.len(), writes.len());
        let bad: Vec<usize> =
            results.iter().enumerate().filter(|(_, r)| r.is_err()).map(|(i, _)| i).collect();
        assert_eq!(bad, [130, 250, 251], "{round}");
        let fault = results[130].clone().unwrap_err();
        assert_eq!(fault.kind, FaultKind::Data);
        assert_eq!(
            fault.sentence,
            "The billing app refuses the product P-130: product_code: Value must be unique."
        );
        assert_eq!(
            results[250].clone().unwrap_err().sentence,
            "The billing app no longer has the product P-900."
        );
        assert_eq!(app.products().await.unwrap().len(), 250);
    }
    let products = app.products().await.unwrap();
    let first = products.iter().find(|product| product.code == "P-0").unwrap();
    assert_eq!(first.fields, Some(fields("P-0", "55.50")));
    let pen = products.iter().find(|product| product.code == "P-130").unwrap();
    assert_eq!((pen.pos_id.as_str(), pen.id.as_str().starts_with("p0000")), ("", false));

    let id = first.id.clone();
    let linked = ProductWrite::Update { id: pen.id.clone(), fields: fields("P-130", "60") };
    let results = app.write_products(&[linked, ProductWrite::Deactivate { id: id.clone() }]).await.unwrap();
    assert!(results.iter().all(Result::is_ok));
    let record = phone.read("products", id.as_str()).await;
    assert_eq!(
        (record["active"].as_bool(), record["name"].as_str()),
        (Some(false), Some("Product P-0 \u{0905}"))
    );
    assert_ne!(record["last_synced_at"], "");
    app.server().stop().await;
}

#[tokio::test]
async fn many_bad_records_and_an_app_without_batches_still_take_the_rest() {
    let shop = Shop::new();
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let admin = shop.as_shopsync().await;
    for number in 0..20 {
        admin.make("products", json!({"product_code": format!("P-{number}")})).await;
    }
    let writes: Vec<ProductWrite> = (0..40).map(create).collect();
    for batch in [json!({"enabled": true, "maxRequests": 30}), json!({"enabled": false})] {
        admin.patch("/api/settings", json!({"batch": batch})).await;
        let results = app.write_products(&writes).await.unwrap();
        let bad: Vec<usize> =
            results.iter().enumerate().filter(|(_, r)| r.is_err()).map(|(i, _)| i).collect();
        assert_eq!(bad, (0..20).collect::<Vec<_>>());
        assert_eq!(app.products().await.unwrap().len(), 40);
    }
    // The next start switches batches on again, and leaves a larger limit alone.
    admin.patch("/api/settings", json!({"batch": {"enabled": false, "maxRequests": 700}})).await;
    let report = shop.adapter().set_up().await.unwrap();
    assert_eq!(report.added, ["batch requests"]);
    assert_eq!(admin.get("/api/settings").await["batch"]["maxRequests"], 700);
    app.server().stop().await;
}
