//! Texts that nobody types on purpose, in every place where the app takes one and where RainTek does: they stand on the other
//! side just so, cut where its column ends, or the invoice is held with one sentence. Nothing of them is taken for SQL.

use serde_json::{Value, json};

use crate::harness::rows::{assert_booked, assert_customer};
use crate::harness::{Bill, SOON, Shop, eventually};
use crate::pocketbase::Caller;
use crate::v02_product::product;

/// What each is, and the text.
fn texts() -> Vec<(&'static str, String)> {
    vec![
        ("quotes", "O'Brien \"Tea\" '; DROP TABLE InvoiceInfo; --".into()),
        ("brackets", "[x] ]] [[ {0} $1 @P1 %s %_[a-z]^ \\' `y` <b>&amp;</b>".into()),
        ("emoji", "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467} चाय \u{1FAD6} ക്ഷ്\u{200D}".into()),
        ("right to left", "مرحبا \u{202E}abc\u{202C} שלום \u{200F}".into()),
        ("nul", "before\u{0}after \u{0}".into()),
        ("controls", "a\r\nb\tc \u{1}\u{7f}\u{85}\u{2028}d".into()),
        ("escapes", "\\ud800 \\udfff \\u0000 %00 %ED%A0%80 &#xD800; \\x00".into()),
        ("no characters", "\u{FFFE}\u{FFFF}\u{FFFD}\u{10FFFF}\u{E000} x".into()),
        ("four thousand", "ळ".repeat(4000)),
        ("four thousand of two units", "\u{1F600}x".repeat(2000)),
    ]
}

fn cut(text: &str, units: usize) -> String {
    let mut left = units;
    let kept = text.trim().chars().take_while(|c| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    });
    kept.collect::<String>().trim_end_matches(' ').to_owned()
}

async fn customer(phone: &Caller, at: usize, text: &str) -> String {
    let record = json!({"name": text, "phone": format!("{text} 70000 {at:05}"), "address": text, "city": text, "gstin": text});
    phone.make("customers", record).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn also_hostile_text() {
    let mut shop = Shop::new(6);
    shop.settings.products.every_seconds = 1;
    shop.settings.products.unknown_item = Some("P-0006".into());
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    let phone = shop.phone().await;

    // App -> RainTek: notes, item, unit, customer.
    let mut sent = Vec::new();
    for (at, (what, text)) in texts().into_iter().enumerate() {
        let mut bill = Bill::plain(&format!("GST-{:04}-2026/27", 300 + at));
        bill.notes = text.trim().to_owned();
        for line in &mut bill.lines {
            line.name.clone_from(&text);
        }
        bill.lines[0].unit = cut(&text, 50);
        bill.customer = Some(customer(&phone, at, &text).await);
        let id = bill.send(&shop).await;
        sent.push((what, text, bill, id));
    }
    let mut ids = Vec::new();
    for (what, text, bill, id) in &sent {
        let record = shop.synced(id).await;
        let dump = shop.raintek.dump().await;
        let found = dump.bills(&bill.number)[0]["Customer_ID"].as_str().unwrap().to_owned();
        assert_booked(&dump, bill, &record, found.parse().unwrap());
        let (name, address, city, gstin) = (cut(text, 200), cut(text, 250), cut(text, 200), cut(text, 50));
        let typed = format!("{text} 70000 {:05}", ids.len());
        let contact =
            if typed.encode_utf16().count() > 150 { format!("70000{:05}", ids.len()) } else { typed };
        let columns = [
            ("Name", name.as_str()),
            ("Address", &address),
            ("City", &city),
            ("GSTIN", &gstin),
            ("ContactNo", contact.trim()),
        ];
        assert_customer(&dump, &found, &columns, bill.day);
        assert!(!ids.contains(&found), "{what}: a customer of its own");
        ids.push(found);
    }
    // Each is found again by its phone, however wide that is.
    let (_, _, last, _) = sent.last().unwrap();
    let again = Bill { number: "GST-0390-2026/27".into(), ..last.clone() };
    let record = shop.synced(&again.send(&shop).await).await;
    assert_booked(&shop.raintek.dump().await, &again, &record, ids.last().unwrap().parse().unwrap());

    numbers(&shop).await;
    items(&shop).await;
    products(&shop, &phone).await;
    assert!(shop.raintek.dump().await.rows("InvoiceInfo").len() > 15, "no table was dropped");
    shop.stop().await;
}

/// Numbers that fit are kept as they are; what does not is held with one sentence that can be read.
async fn numbers(shop: &Shop) {
    for (at, (what, text)) in texts().into_iter().enumerate() {
        let number = format!("{at}{}", text.trim());
        let bill = Bill::plain(&number);
        let id = bill.send(shop).await;
        if number.encode_utf16().count() <= 30 {
            let record = shop.synced(&id).await;
            assert_booked(&shop.raintek.dump().await, &bill, &record, 1);
            continue;
        }
        let sentence = shop.held(&id).await["sync_error"].as_str().unwrap().to_owned();
        assert!(sentence.contains("characters long; RainTek takes at most 30."), "{what}: {sentence}");
        assert!(
            sentence.chars().count() < 200 && !sentence.chars().any(char::is_control),
            "{what}: {sentence:?}"
        );
        eventually(&format!("{what}: the page says the same"), SOON, async || {
            let item = shop.item(&number).await.unwrap_or_default();
            item["state"] == "held" && item["sentence"] == sentence.as_str()
        })
        .await;
    }
}

/// An item that RainTek does not have stands under its own name, all of it.
async fn items(shop: &Shop) {
    for (at, (what, text)) in texts().into_iter().enumerate() {
        let mut bill = Bill::plain(&format!("GST-{:04}-2026/27", 400 + at));
        bill.lines[0].code = format!("{at}' OR 1=1 --");
        bill.lines[0].name.clone_from(&text);
        shop.synced(&bill.send(shop).await).await;
        let dump = shop.raintek.dump().await;
        assert_eq!(dump.bills(&bill.number)[0]["Invoice_Product"][0]["Descr"], text.trim(), "{what}");
    }
}

/// RainTek -> app: names and units of products.
async fn products(shop: &Shop, phone: &Caller) {
    // What a statement's text cannot carry comes by its number.
    let literal =
        |text: &str| format!("N'{}'", text.replace('\'', "''").replace('\u{0}', "' + NCHAR(0) + N'"));
    for (at, (_, text)) in texts().into_iter().enumerate() {
        let code = format!("H-{at}");
        shop.raintek.till(&["product", "--code", &code, "--name", "x", "--price", "5", "--stock", "1"]).await;
        let (name, unit) = (literal(&cut(&text, 200)), literal(&cut(&text, 150)));
        let sql = format!(
            "UPDATE Product SET ProductName = {name}, SalesUnit = {unit} WHERE ProductCode = N'{code}'"
        );
        shop.raintek.sql(&sql).await;
    }
    for (at, (what, text)) in texts().into_iter().enumerate() {
        let mut found = Value::Null;
        eventually(&format!("{what}: the app has it"), SOON, async || {
            found = product(phone, &format!("H-{at}")).await.unwrap_or_default();
            found["name"] == cut(&text, 200).trim()
        })
        .await;
        assert_eq!(found["unit"], cut(&text, 150).trim(), "{what}");
    }
    // Nothing of it is written a second time.
    let before = product(phone, "H-0").await.unwrap()["updated"].clone();
    shop.pass().await;
    assert_eq!(product(phone, "H-0").await.unwrap()["updated"], before, "a pass without changes writes");
}
