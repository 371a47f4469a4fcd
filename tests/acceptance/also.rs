//! The rest of what an app may send: booked with the right rows, or held with one sentence, and the rest flows.
//! Split and credit, weight sales, IGST, NON GST, emoji, over-long names and 500 lines are in v04_push.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::bill::{dec, json_number};
use crate::harness::raintek::number;
use crate::harness::rows::assert_booked;
use crate::harness::{Bill, Line, SOON, Shop, eventually};
use crate::v04_push::customer;

/// A plain bill in which the phone says something else of the head.
fn head(number: &str, extra: Value) -> Bill {
    Bill { extra, ..Bill::plain(number) }
}

/// A plain bill whose first line is changed after it was worked out; returns its record.
async fn with_line(shop: &Shop, number: &str, change: Value) -> String {
    let phone = shop.phone().await;
    let bill = Bill::plain(number);
    let made = phone.make("invoices", bill.head("completed")).await;
    let id = made["id"].as_str().unwrap().to_owned();
    for (at, (collection, mut record)) in bill.parts(&id).into_iter().enumerate() {
        for (name, value) in change.as_object().unwrap() {
            if at == 0 {
                record[name] = value.clone();
            }
        }
        phone.make(collection, record).await;
    }
    id
}

#[tokio::test]
async fn also_held_with_one_sentence() {
    let shop = Shop::open(4).await;
    let mut held: Vec<(String, String, &str)> = Vec::new();
    let mut at = 100;
    let mut next = || {
        at += 1;
        format!("GST-{at:04}-2026/27")
    };

    // Lines.
    for (change, said) in [
        (json!({"quantity": 0.1234}), "0.1234 has more than 3 decimals"),
        (json!({"rate": 33.333}), "33.333 has more than 2 decimals"),
        (json!({"product_code": "", "product_name": "Loose tea"}), "Item \"Loose tea\" is not in RainTek."),
        (json!({"product_code": "P-0000", "product_name": "🫖"}), "Item \"🫖\" is not in RainTek."),
        (json!({"total": 907.30}), "more than the grand total"),
        (json!({"total": 7.30}), "less than the grand total"),
        (json!({"gst_rate": 18.123_45}), "18.12345 has more than 4 decimals"),
    ] {
        let number = next();
        held.push((with_line(&shop, &number, change).await, number, said));
    }
    // Money and the head.
    let grand = Bill::plain("").totals().grand;
    let odd: Vec<(Bill, &str)> = vec![
        (head("", json!({"round_off": 0.005})), "0.005 has more than 2 decimals"),
        (head("", json!({"grand_total": 1e16, "amount_paid": 0})), "is too large"),
        (head("", json!({"payment_method": ""})), "The invoice has no payment method."),
        (head("", json!({"item_count": 1.5})), "1.5 has more than 0 decimals"),
        (
            Bill {
                method: "split",
                payments: vec![("cash", grand), ("upi", Decimal::TEN)],
                ..Bill::plain("")
            },
            "The payments are 10.00 more than the grand total",
        ),
        (head("", json!({"taxable_amount": json_number(grand + Decimal::TEN)})), "round-off come to"),
    ];
    for (bill, said) in odd {
        let number = next();
        held.push((Bill { number: number.clone(), ..bill }.send(&shop).await, number, said));
    }
    let below = Bill { discount: dec("5000"), ..Bill::plain(&next()) };
    held.push((below.send(&shop).await, below.number, "is below zero"));
    // No line at all: they may still come, and it is said what it waits for.
    let none = Bill::new("GST-0190-2026/27", Vec::new());
    let none_id = none.send(&shop).await;

    // An item that is not there is looked for once more; a person need not wait for that.
    shop.pass().await;
    // The rest flows past them.
    let fine = Bill::plain("GST-0199-2026/27");
    let record = shop.synced(&fine.send(&shop).await).await;
    assert_booked(&shop.raintek.dump().await, &fine, &record, 1);
    for (id, number, said) in &held {
        let record = shop.held(id).await;
        let sentence = record["sync_error"].as_str().unwrap();
        assert!(sentence.contains(said), "{number}: {sentence:?} does not say {said:?}");
        assert!(sentence.ends_with('.') && !sentence.contains(". "), "one sentence: {sentence}");
        assert!(!sentence.contains("Value") && !sentence.contains("null"), "for people: {sentence}");
    }
    eventually("it is said that one waits for its lines", SOON, async || {
        shop.item(&none.number)
            .await
            .is_some_and(|item| item["sentence"] == "Waiting for its lines: none has arrived.")
    })
    .await;
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo").len(), 1, "nothing of them is half there");
    eventually("all are counted", SOON, async || shop.status().await["counts"]["held"] == held.len()).await;
    assert_eq!(shop.phone().await.read("invoices", &none_id).await["raintek_inv_id"], 0);
}

#[tokio::test]
async fn also_booked() {
    let mut shop = Shop::new(6);
    shop.settings.products.unknown_item = Some("P-0006".into());
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    let mut booked: Vec<(Bill, String, i64)> = Vec::new();

    // Names and barcodes wider than RainTek's columns, in letters of two units.
    let wide = "चाय 🫖 ".repeat(60);
    let mut long = Bill { notes: wide.repeat(10), ..Bill::plain("GST-0201-2026/27") };
    long.notes.truncate(long.notes.trim_end().len());
    long.lines[0].name = wide;
    // Noise of floats is no money.
    let noise = Bill::plain("GST-0202-2026/27");
    let total = noise.totals().grand;
    let noise = Bill {
        extra: json!({"grand_total": format!("{}.0000000000002", total.trunc()).parse::<f64>().unwrap()}),
        ..noise
    };
    // Nothing to pay at all, and paise kept.
    let mut free =
        Bill::new("GST-0203-2026/27", vec![Line::new("P-0001", "1", "10", "No Taxes", "0").percent("100")]);
    free.method = "cash";
    let paise = Bill { rounded: false, freight: dec("0.01"), ..Bill::plain("GST-0204-2026/27") };
    // Many ways to pay at once, one of them twice.
    let grand = Bill::plain("").totals().grand;
    let split = Bill {
        method: "split",
        payments: vec![
            ("cash", dec("0.01")),
            ("cash", dec("10")),
            ("upi", dec("20")),
            ("paytm", dec("30.99")),
            ("credit", grand - dec("61")),
        ],
        ..Bill::plain("GST-0205-2026/27")
    };
    // Another state, weighed, on credit, all at once; and NON GST for the same customer.
    let far =
        customer(&shop, json!({"name": "Far Away & Sons", "phone": "7000000009", "state": "Kerala"})).await;
    let lines = vec![
        Line::new("P-0001", "0.335", "399.99", "Exclusive", "5").percent("3.5"),
        Line::new("P-0002", "2.125", "118.50", "Inclusive", "18"),
    ];
    let igst = Bill {
        customer: Some(far.clone()),
        other_state: true,
        method: "credit",
        ..Bill::new("GST-0206-2026/27", lines)
    };
    let plain = Bill {
        customer: Some(far),
        tax_type: "NON GST",
        lines: vec![Line::new("P-0003", "1.005", "99.99", "No Taxes", "0")],
        ..Bill::new("SINV-0207-2026/27", Vec::new())
    };
    for (bill, customer) in [(long, 1), (noise, 1), (free, 1), (paise, 1), (split, 1), (igst, 9), (plain, 9)]
    {
        booked.push((bill.clone(), bill.send(&shop).await, customer));
    }
    for (bill, id, customer) in &booked {
        let record = shop.synced(id).await;
        assert_booked(&shop.raintek.dump().await, bill, &record, *customer);
    }

    // An item that RainTek does not have stands on the one that the settings name, under its own name.
    let mut unknown = Bill::plain("GST-0208-2026/27");
    unknown.lines[1].code = "MY-OWN".into();
    unknown.lines[1].name = "Hand-made basket 🧺".into();
    shop.synced(&unknown.send(&shop).await).await;
    let dump = shop.raintek.dump().await;
    let lines = &dump.bills(&unknown.number)[0]["Invoice_Product"];
    assert_eq!(number(&lines[1], "ProductID"), number(dump.product("P-0006"), "PID"));
    assert_eq!(lines[1]["Descr"], "Hand-made basket 🧺");
    assert_eq!(lines[0]["Descr"], "", "a known item needs no word");
    assert_eq!(number(&lines[1], "TotalAmount"), unknown.lines[1].amounts(false).total);
}
