//! v04: every kind of invoice, and its rows in RainTek column by column.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::bill::dec;
use crate::harness::raintek::number;
use crate::harness::rows::{assert_booked, assert_customer};
use crate::harness::{Bill, Line, SOON, Shop, eventually};

/// RainTek's worked bills: id, mode, quantity, rate, percent, CGST, SGST, IGST, CESS, and what comes out.
const VECTORS: &str = include_str!("../raintek-sandbox/data/raintek_vectors.csv");

/// An invoice, how the phone writes it, and the ID of the customer it must carry (0: a new one).
struct Case {
    bill: Bill,
    way: Way,
    customer: i64,
}

enum Way {
    HeadFirst,
    Batch,
    DraftCompletedLater,
}

fn number_of(at: usize) -> String {
    format!("GST-{:04}-2026/27", 500 + at)
}

/// Kinds that need no customer.
fn walk_in_kinds() -> Vec<(Bill, Way)> {
    let line = Line::new;
    let one = |line: Line| Bill::new("", vec![line]);
    let mut kinds = vec![
        (one(line("P-0001", "3", "33.33", "Exclusive", "18").percent("10")), Way::HeadFirst),
        (one(line("P-0001", "1", "10.00", "Inclusive", "5")), Way::Batch),
        (one(line("P-0002", "2", "100", "Exempt GST", "0")), Way::DraftCompletedLater),
        (one(line("P-0003", "2", "100", "No Taxes", "0")), Way::Batch),
        // Weighed goods, and a discount with four decimals.
        (one(line("P-0001", "0.250", "399.00", "Exclusive", "5").percent("12.3456")), Way::HeadFirst),
        (one(line("P-0003", "12.345", "7.77", "Inclusive", "28")), Way::Batch),
    ];
    let mut all_modes = Bill::new(
        "",
        vec![
            line("P-0001", "3", "33.33", "Exclusive", "18").percent("10"),
            line("P-0002", "1", "118", "Inclusive", "18"),
            line("P-0003", "2", "50.05", "Exempt GST", "0"),
            line("P-0004", "1.5", "20", "No Taxes", "0"),
        ],
    );
    all_modes.lines[0].barcode = "8901111111111".into();
    all_modes.lines[2].unit = "KG".into();
    all_modes.freight = dec("40.25");
    all_modes.discount = dec("15.10");
    all_modes.notes = "Deliver by 6 pm, \"Gate 2\"; it's urgent".into();
    kinds.push((all_modes.clone(), Way::HeadFirst));
    all_modes.rounded = false;
    kinds.push((all_modes.clone(), Way::Batch));
    let grand = all_modes.totals().grand;
    all_modes.method = "split";
    all_modes.payments =
        vec![("cash", dec("100")), ("phonepe", dec("50.50")), ("credit", grand - dec("150.50"))];
    kinds.push((all_modes.clone(), Way::HeadFirst));
    all_modes.payments = vec![("gpay", dec("0.45")), ("wallet", dec("20")), ("cheque", grand - dec("20.45"))];
    kinds.push((all_modes.clone(), Way::Batch));
    for method in ["upi", "card", "cheque", "credit"] {
        kinds.push((Bill { method, ..all_modes.clone() }, Way::Batch));
    }
    kinds.push((Bill { method: "cash", paid: Some(dec("60")), ..all_modes.clone() }, Way::HeadFirst));
    kinds.push((Bill { method: "card", paid: Some(Decimal::ZERO), ..all_modes.clone() }, Way::Batch));
    // The app leaves the arithmetic to ShopSync.
    kinds.push((Bill { method: "cash", bare: true, ..all_modes.clone() }, Way::Batch));
    // A phone that sends our fields itself is billed as any other.
    let claims =
        json!({"sync_status": "synced", "source": "raintek", "raintek_inv_id": 3, "sync_error": "x"});
    kinds.push((Bill { extra: claims, ..Bill::plain("") }, Way::HeadFirst));
    let emoji = "Kärcher 🧹 brush தமிழ் 😀";
    let mut named = Bill { notes: emoji.repeat(9), ..Bill::plain("") };
    named.lines[0].name = emoji.repeat(20);
    kinds.push((named, Way::HeadFirst));
    kinds
}

/// NON GST bills count in a series of their own.
fn non_gst(number: &str) -> Bill {
    let lines = vec![
        Line::new("P-0001", "2", "45.50", "No Taxes", "0"),
        Line::new("P-0002", "0.750", "80", "No Taxes", "0"),
    ];
    Bill { tax_type: "NON GST", ..Bill::new(number, lines) }
}

pub(crate) async fn customer(shop: &Shop, record: Value) -> String {
    shop.phone().await.make("customers", record).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn v04_push() {
    pushes(&Shop::open(6).await, 500).await;
}

/// Every kind of invoice in a shop that has none yet, one of them of `many` lines.
pub(crate) async fn pushes(shop: &Shop, many: usize) {
    let mut cases: Vec<Case> = Vec::new();
    for (bill, way) in walk_in_kinds() {
        let number = number_of(cases.len());
        cases.push(Case { bill: Bill { number, ..bill }, way, customer: 1 });
    }
    let mut add = |bill: Bill, customer: i64| {
        let number = number_of(cases.len());
        cases.push(Case { bill: Bill { number, ..bill }, way: Way::HeadFirst, customer });
    };
    // Another state: IGST, from the app and from its customer's state.
    let other = json!({"name": "Chennai Super Mart", "phone": "098400-55555", "state": "Tamil Nadu"});
    let other = customer(shop, other).await;
    let igst = Bill { customer: Some(other.clone()), other_state: true, ..Bill::plain("") };
    add(igst.clone(), 5);
    add(Bill { bare: true, ..igst }, 5);
    // Known by the phone, written differently; of two with one phone the lowest ID; without a phone the walk-in.
    for (phone, id) in [("+91 9845012345", 2), ("0 98450 12346", 3), ("98450-12347", 4), ("", 1)] {
        let known = customer(shop, json!({"name": "Someone Else", "phone": phone})).await;
        add(Bill { customer: Some(known), ..Bill::plain("") }, id);
    }
    let long = "Sri Venkateshwara Provision Stores 🛒 ".repeat(8);
    let new = json!({"name": long, "phone": "+91 70000 00001", "address": "4, Main Road".repeat(40), "city": "Mysuru",
        "state": "Karnataka", "gstin": "29AAAAA0000A1Z5"});
    let new = customer(shop, new).await;
    add(Bill { customer: Some(new.clone()), ..Bill::plain("") }, 9);
    add(Bill { customer: Some(new.clone()), method: "credit", ..Bill::plain("") }, 9);
    cases.push(Case { bill: non_gst("SINV-0031-2026/27"), way: Way::HeadFirst, customer: 1 });
    // Numbers that look like nobody's are kept as they are, up to RainTek's thirty characters.
    cases.push(Case { bill: Bill::plain("X/2026 #5 தமி"), way: Way::HeadFirst, customer: 1 });
    cases.push(Case {
        bill: Bill::plain("ABCDEFGHIJ-0123456789-ABCDEFGH"),
        way: Way::HeadFirst,
        customer: 1,
    });
    let many =
        (0..many).map(|at| Line::new(["P-0001", "P-0002"][at % 2], "1", "3.30", "Exclusive", "18")).collect();
    cases.push(Case { bill: Bill::new("GST-0900-2026/27", many), way: Way::Batch, customer: 1 });

    let phone = shop.phone().await;
    let mut ids = Vec::new();
    for case in &cases {
        ids.push(match case.way {
            Way::HeadFirst => case.bill.send(shop).await,
            Way::Batch => case.bill.send_batch(shop).await,
            Way::DraftCompletedLater => {
                let id = case.bill.send_as(&phone, "draft").await;
                phone.change("invoices", &id, json!({"status": "completed"})).await;
                id
            }
        });
    }
    let mut records = Vec::new();
    for id in &ids {
        records.push(shop.synced(id).await);
    }
    let dump = shop.raintek.dump().await;
    assert_eq!(dump.rows("InvoiceInfo").len(), cases.len(), "each once");
    for (case, record) in cases.iter().zip(&records) {
        assert_booked(&dump, &case.bill, record, case.customer);
    }

    // One new customer, whole, what is too long cut; each is told its ID.
    assert_eq!(dump.rows("Customer").len(), 9);
    let cut = |text: &str, units: usize| {
        let mut left = units;
        let kept = text.chars().take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(c.len_utf16());
            fits
        });
        kept.collect::<String>().trim_end().to_owned()
    };
    let (name, address) = (cut(&long, 200), cut(&"4, Main Road".repeat(40), 250));
    let columns = [
        ("Name", name.as_str()),
        ("Address", &address),
        ("City", "Mysuru"),
        ("State", "Karnataka"),
        ("ContactNo", "+91 70000 00001"),
        ("GSTIN", "29AAAAA0000A1Z5"),
    ];
    assert_customer(&dump, "9", &columns, NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    assert_eq!(phone.read("customers", &new).await["raintek_customer_id"], 9);
    assert_eq!(phone.read("customers", &other).await["raintek_customer_id"], 5);
    // In the store: what the page shows is the newest of it, and a generation may note more about each invoice.
    shop.journal_says("note", "The customer's name was cut to 200 characters").await;

    // Our own stamps ask for nothing: no more is written once all is in step.
    shop.in_step().await;
    let commits = shop.raintek.state().await.unwrap()["commits"].clone();
    shop.pass().await;
    shop.in_step().await;
    assert_eq!(shop.raintek.state().await.unwrap()["commits"], commits);
}

#[tokio::test]
async fn v04_push_worked_bills() {
    let shop = Shop::open(4).await;
    shop.raintek.sql("UPDATE Product SET CESS = 5 WHERE ProductCode = N'P-0004'").await;
    let other = customer(&shop, json!({"name": "Far", "phone": "7000000002", "state": "Kerala"})).await;
    let mut sent = Vec::new();
    for (at, row) in VECTORS.lines().skip(1).filter(|row| !row.is_empty()).enumerate() {
        let cells: Vec<&str> = row.split(',').collect();
        let gst = dec(cells[5]) + dec(cells[6]) + dec(cells[7]);
        let mode =
            ["Exclusive", "Inclusive", "Exempt GST", "No Taxes"].into_iter().find(|mode| *mode == cells[1]);
        let code = if cells[8] == "0" { "P-0001" } else { "P-0004" };
        let mut line = Line::new(code, cells[2], cells[3], mode.unwrap(), &gst.to_string()).percent(cells[4]);
        line.cess = dec(cells[8]);
        let mut bill = Bill::new(&format!("GST-{:04}-2026/27", at + 1), vec![line]);
        if cells[7] != "0" {
            (bill.customer, bill.other_state) = (Some(other.clone()), true);
        }
        // The app says nothing of taxes, but for the cess, which no field of a line tells the rate of.
        bill.bare = cells[8] == "0";
        sent.push((bill.send(&shop).await, bill.number.clone(), cells));
    }
    assert_eq!(sent.len(), 9);
    for (id, name, cells) in sent {
        shop.synced(&id).await;
        let dump = shop.raintek.dump().await;
        let line = &dump.bills(&name)[0]["Invoice_Product"][0];
        let columns = ["Discount", "CGSTAmt", "SGSTAmt", "IGSTAmt", "CESSAmt", "TaxableAmt", "TotalAmount"];
        for (column, wanted) in columns.into_iter().zip(&cells[9..16]) {
            assert_eq!(number(line, column), dec(wanted), "{}: {column}", cells[0]);
        }
    }
}

#[tokio::test]
async fn v04_push_waits_for_lines() {
    let shop = Shop::open(2).await;
    let phone = shop.phone().await;
    let bill = Bill::plain("GST-0001-2026/27");
    let id = phone.make("invoices", bill.head("completed")).await["id"].as_str().unwrap().to_owned();
    let parts = bill.parts(&id);
    phone.make(parts[0].0, parts[0].1.clone()).await;
    eventually("it is said that it waits for its lines", SOON, async || {
        shop.item(&bill.number).await.is_some_and(|item| {
            item["state"] == "incomplete" && item["sentence"] == "Waiting for its lines: 1 of 2 have arrived."
        })
    })
    .await;
    assert!(shop.raintek.dump().await.bills(&bill.number).is_empty(), "half an invoice is none");
    assert_eq!(shop.health().await.unwrap().0, 200);
    phone.make(parts[1].0, parts[1].1.clone()).await;
    let record = shop.synced(&id).await;
    assert_booked(&shop.raintek.dump().await, &bill, &record, 1);

    // A draft is nobody's business, nor is one that was cancelled.
    for status in ["draft", "cancelled", "revised"] {
        Bill::plain(&format!("GST-{status}-26")).send_as(&phone, status).await;
    }
    shop.pass().await;
    shop.in_step().await;
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo").len(), 1);
}
