//! Bills of RainTek's own in the app: written whole, written again, cancelled, and read-only for everybody else.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use shopsync::billing::PocketBase;
use shopsync::model::awareness::{BillWrite, CustomerLink, PosInvoice};
use shopsync::model::bill::NumberSeries;
use shopsync::model::customer::Customer;
use shopsync::model::fault::FaultKind;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{
    Invoice, InvoiceRead, InvoiceStatus, Line, NotDue, Payment, PaymentKind, TaxMode, TaxType, Taxes,
};
use shopsync::ports::{Billing as _, InvoiceScan};

use crate::foreign_app::ForeignApp;
use crate::pocketbase::{Caller, Shop};

fn record(kind: char, at: usize) -> RecordId {
    RecordId::new(format!("{kind}{at:014}"))
}

/// A bill of so many lines of 1.10, paid in two ways.
fn bill(lines: usize) -> PosInvoice {
    let day = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
    let each = Decimal::new(110, 2);
    let total = each * Decimal::from(lines);
    let line = |at: usize| Line {
        id: record('l', at),
        product_code: format!("P-{at}"),
        product_name: "Pen".into(),
        hsn_code: "9608".into(),
        barcode: String::new(),
        quantity: Decimal::new(1250, 3),
        unit: "PCS".into(),
        rate: each,
        mrp: each,
        discount_percent: Decimal::ZERO,
        discount: Decimal::ZERO,
        tax_mode: TaxMode::NoTaxes,
        gst_rate: Decimal::ZERO,
        taxes: Taxes::default(),
        taxable: each,
        total: each,
    };
    let pay = |mode: &str, amount| Payment { mode: PaymentKind(mode.into()), amount };
    PosInvoice {
        products: vec![1; lines],
        paid_on: vec![day, day],
        payment_ids: vec![record('p', 1), record('p', 2)],
        invoice: Invoice {
            id: record('b', 1),
            number: "GST-0007-2025/26".into(),
            date: day,
            status: InvoiceStatus::Completed,
            tax_type: TaxType::Gst,
            customer: None,
            item_count: u32::try_from(lines).ok(),
            taxable: total,
            taxes: Taxes::default(),
            freight: Decimal::ZERO,
            discount: Decimal::ZERO,
            round_off: Decimal::ZERO,
            grand_total: total,
            amount_paid: total,
            payment_method: PaymentKind("split".into()),
            notes: String::new(),
            pos_id: Some(7),
            stamped: false,
            updated: String::new(),
            lines: (0..lines).map(line).collect(),
            payments: vec![pay("cash", Decimal::ONE), pay("phonepe", total - Decimal::ONE)],
        },
    }
}

fn put(bill: PosInvoice, customer: CustomerLink) -> BillWrite {
    let products = vec![None; bill.invoice.lines.len()];
    BillWrite::Put { bill: Box::new(bill), customer, products }
}

async fn parts(owner: &Caller, collection: &str) -> Vec<Value> {
    let path = format!("/api/collections/{collection}/records?perPage=500");
    owner.get(&path).await["items"].as_array().unwrap().clone()
}

async fn stop(app: &PocketBase) {
    app.server().stop().await;
}

#[tokio::test]
async fn a_bill_is_written_whole_again_and_cancelled() {
    let shop = Shop::new();
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let owner = shop.as_shopsync().await;
    // The second is too large for one batch.
    for lines in [3, 130, 2] {
        for _ in 0..2 {
            app.write_bill(&put(bill(lines), CustomerLink::None)).await.unwrap();
            let invoice = owner.read("invoices", record('b', 1).as_str()).await;
            assert_eq!(
                (invoice["status"].as_str(), &invoice["item_count"]),
                (Some("completed"), &json!(lines))
            );
            assert_eq!(
                (invoice["source"].as_str(), invoice["sync_status"].as_str()),
                (Some("raintek"), Some("na"))
            );
            assert_eq!(invoice["invoice_date"], "2026-03-31 00:00:00.000Z");
            assert_eq!(parts(&owner, "invoice_items").await.len(), lines);
            assert_eq!(parts(&owner, "invoice_payments").await.len(), 2);
        }
    }
    let mut cash = bill(2);
    cash.invoice.payments.clear();
    cash.invoice.payment_method = PaymentKind("cash".into());
    app.write_bill(&put(cash, CustomerLink::None)).await.unwrap();
    assert!(parts(&owner, "invoice_payments").await.is_empty());
    assert_eq!(app.list(&InvoiceScan::All).await.unwrap(), [], "it is not the push's");
    let read = app.invoice(&record('b', 1)).await.unwrap();
    assert_eq!(read, InvoiceRead::NotDue(NotDue::FromPos));

    // A number that the app has is refused, and nothing of the bill is left behind.
    let mut same = bill(1);
    same.invoice.id = record('b', 2);
    same.invoice.lines[0].id = record('l', 900);
    let fault = app.write_bill(&put(same, CustomerLink::None)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Data, "{fault}");
    assert_eq!(parts(&owner, "invoice_items").await.len(), 2);

    for id in [record('b', 1), record('b', 3)] {
        app.write_bill(&BillWrite::Cancel { id }).await.unwrap();
    }
    assert_eq!(owner.read("invoices", record('b', 1).as_str()).await["status"], "cancelled");
    stop(&app).await;
}

#[tokio::test]
async fn a_shops_own_app_shows_it_read_only_and_keeps_its_numbers() {
    let mut shop = Shop::new();
    let theirs = ForeignApp::lay(&mut shop).await;
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let customer = Customer {
        name: "Asha".into(),
        phone: "98765 43210".into(),
        pos_id: Some(12),
        ..Customer::default()
    };
    let link = CustomerLink::New { id: record('c', 1), customer: Box::new(customer) };
    app.write_bill(&put(bill(2), link)).await.unwrap();
    let owner = ForeignApp::owner(&shop).await;
    let shown = owner.read("bills", record('b', 1).as_str()).await;
    assert_eq!(
        (shown["state"].as_str(), shown["invoice_number"].as_str()),
        (Some("completed"), Some("GST-0007-2025/26"))
    );
    assert_eq!(shown["customer"], record('c', 1).as_str());
    assert_eq!(parts(&owner, "customers").await[0]["raintek_customer_id"], 12);

    // Their rules let a cashier change every bill; ShopSync's hook does not.
    let phone = ForeignApp::phone(&shop).await;
    let own = phone
        .make("bills", json!({"state": "completed", "invoice_date": "2026-11-20", "grand_total": 5}))
        .await;
    let own_line = phone.make("invoice_items", json!({"invoice": own["id"], "quantity": 1})).await;
    let bill_path = format!("/api/collections/bills/records/{}", record('b', 1));
    let line_path = format!("/api/collections/invoice_items/records/{}", record('l', 0));
    let own_line = format!("/api/collections/invoice_items/records/{}", own_line["id"].as_str().unwrap());
    let into = json!({"invoice": record('b', 1).as_str(), "quantity": 1});
    for (method, path, body) in [
        ("PATCH", bill_path.as_str(), Some(json!({"grand_total": 1}))),
        ("PATCH", &bill_path, Some(json!({"source": "app", "grand_total": 1}))),
        ("PATCH", &line_path, Some(json!({"quantity": 9}))),
        ("PATCH", &line_path, Some(json!({"invoice": own["id"]}))),
        ("PATCH", &own_line, Some(into.clone())),
        ("POST", "/api/collections/invoice_items/records", Some(into)),
    ] {
        let (status, answer) = phone.send(method, path, body).await;
        assert_eq!(status, 403, "{method} {path}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains("made in RainTek"), "{answer}");
    }
    assert_eq!(owner.read("bills", record('b', 1).as_str()).await["grand_total"], 2.2);
    assert_eq!(phone.send("PATCH", &own_line, Some(json!({"quantity": 2}))).await.0, 200, "theirs goes on");

    let series =
        NumberSeries { name: "invoice_gst", value: 900, prefix: "GST".into(), suffix: String::new() };
    assert!(!app.follow_numbers(&[series]).await.unwrap());
    let counters = parts(&owner, "counters").await;
    assert_eq!(counters.len(), 1);
    assert!(counters[0]["value"].as_i64().unwrap() < 100, "their counter is theirs");
    theirs.assert_untouched(&shop).await;
    stop(&app).await;
}
