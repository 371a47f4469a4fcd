//! Reads are complete or an error, and exact or refused.

use std::time::Duration;

use serde_json::{Value, json};
use shopsync::billing::{OWN_IDENTITY, PocketBase};
use shopsync::model::fault::FaultKind;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{InvoiceRead, NotDue, Stamp, TaxType};
use shopsync::ports::{Billing as _, Clock as _, InvoiceScan};

use crate::pocketbase::{Caller, Shop, TestClock, until};

const EVERYTHING: InvoiceScan = InvoiceScan::Unproven { since: None };

pub(crate) async fn start() -> (Shop, PocketBase, Caller) {
    let shop = Shop::new();
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let phone = shop.as_phone().await;
    (shop, app, phone)
}

fn bill(number: &str) -> Value {
    json!({"invoice_number": number, "invoice_date": "2026-11-21 00:00:00.000Z", "status": "completed", "grand_total": 100})
}

pub(crate) fn id_of(record: &Value) -> RecordId {
    RecordId::new(record["id"].as_str().unwrap())
}

/// To a guest the app is open but shows nothing: the trap.
async fn open_to_guests(admin: &Caller) {
    for collection in ["invoices", "invoice_items", "products"] {
        let hide = "@request.auth.id != ''";
        let rules = json!({"listRule": hide, "viewRule": hide, "createRule": "", "updateRule": ""});
        admin.patch(&format!("/api/collections/{collection}"), rules).await;
    }
}

#[tokio::test]
async fn an_invoice_comes_whole_and_exact() {
    let (_shop, app, phone) = start().await;
    let customer = phone.make("customers", json!({"name": "Asha", "phone": "+91 98765 43210"})).await;
    let product = phone.make("products", json!({"product_code": "P-7", "name": "Rice"})).await;
    let mut sent = bill(" G-1-26 ");
    // 00:10 on the first day of a financial year, and what an app's float arithmetic leaves behind.
    sent["invoice_date"] = json!("2026-03-31 18:40:00.000Z");
    sent["grand_total"] = serde_json::from_str("1180.3000000000002").unwrap();
    sent["customer"] = customer["id"].clone();
    sent["tax_type"] = json!("NON GST");
    sent["payment_method"] = json!("split");
    sent["item_count"] = json!(40);
    let made = phone.make("invoices", sent).await;
    let line = |quantity: u32| {
        json!({"method": "POST", "url": "/api/collections/invoice_items/records",
        "body": {"invoice": made["id"], "product": product["id"], "quantity": quantity, "rate": 0.1}})
    };
    phone.post("/api/batch", json!({"requests": (1..=40).map(line).collect::<Vec<_>>()})).await;
    phone.make("invoice_payments", json!({"invoice": made["id"], "mode": "upi", "amount": 1000})).await;
    phone.make("invoice_payments", json!({"invoice": made["id"], "mode": "cash", "amount": 180.3})).await;

    let InvoiceRead::Found(invoice) = app.invoice(&id_of(&made)).await.unwrap() else { panic!("not found") };
    assert_eq!((invoice.number.as_str(), invoice.tax_type), ("G-1-26", TaxType::NonGst));
    assert_eq!(invoice.date.to_string(), "2026-04-01");
    assert_eq!(invoice.grand_total.to_string(), "1180.30");
    assert_eq!(invoice.customer.as_ref().unwrap().name, "Asha");
    let quantities: Vec<String> =
        invoice.lines.iter().map(|line| line.quantity.normalize().to_string()).collect();
    assert_eq!(quantities, (1..=40).map(|n| n.to_string()).collect::<Vec<_>>(), "in the order of entry");
    assert!(invoice.lines.iter().all(|line| line.product_code == "P-7"));
    let payments: Vec<_> =
        invoice.payments.iter().map(|p| (p.mode.0.as_str(), p.amount.normalize().to_string())).collect();
    assert_eq!(payments, [("upi", "1000".to_owned()), ("cash", "180.3".to_owned())]);

    let heads = app.list(&EVERYTHING).await.unwrap();
    assert_eq!((heads[0].number.as_str(), heads[0].customer.as_str()), ("G-1-26", "Asha"));
    assert_eq!(heads[0].date.unwrap().to_string(), "2026-04-01");
    assert_eq!(app.of_number("G-1-26").await.unwrap(), heads);
    assert_eq!(app.of_number("G-1").await.unwrap(), []);
    assert_eq!(app.of_number("G'1\\").await.unwrap(), []);

    let customer = (id_of(&customer), 5);
    app.stamp(&id_of(&made), &Stamp::Synced { inv_id: 9, customer: Some(customer) }).await.unwrap();
    let InvoiceRead::Found(invoice) = app.invoice(&id_of(&made)).await.unwrap() else { panic!("not found") };
    assert_eq!((invoice.pos_id, invoice.stamped, invoice.customer.unwrap().pos_id), (Some(9), true, Some(5)));
    assert_eq!(app.list(&EVERYTHING).await.unwrap(), []);
    let since = InvoiceScan::Unproven { since: Some(heads[0].updated.clone()) };
    assert_eq!(app.list(&since).await.unwrap()[0].stamped, Some(9));
    app.server().stop().await;
}

#[tokio::test]
async fn what_was_taken_back_is_listed() {
    let (shop, app, phone) = start().await;
    let admin = shop.as_shopsync().await;
    let mut ids = Vec::new();
    for number in ["T-1", "T-2", "T-3"] {
        let made = phone.make("invoices", bill(number)).await;
        app.stamp(&id_of(&made), &Stamp::Synced { inv_id: 9, customer: None }).await.unwrap();
        ids.push(id_of(&made));
    }
    // Never booked: its bill may be the one that it was to take the place of.
    let never = phone.make("invoices", bill("T-4")).await;
    let change = async |id: &RecordId, change: Value| {
        admin.patch(&format!("/api/collections/invoices/records/{id}"), change).await;
    };
    assert_eq!(app.taken_back(None).await.unwrap(), []);
    change(&ids[0], json!({"status": "cancelled"})).await;
    change(&id_of(&never), json!({"status": "cancelled"})).await;
    let listed = app.taken_back(None).await.unwrap();
    let mut found: Vec<_> = listed.iter().map(|head| (head.id.clone(), head.number.as_str())).collect();
    found.sort_by_key(|(_, number)| *number);
    assert_eq!(found, [(ids[0].clone(), "T-1"), (id_of(&never), "T-4")]);
    change(&ids[1], json!({"status": "revised"})).await;
    change(&ids[2], json!({"status": "cancelled", "source": "raintek"})).await;
    let all = app.taken_back(None).await.unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
    let newest = all.iter().map(|head| head.updated.as_str()).max().unwrap();
    let since: Vec<_> = app.taken_back(Some(newest)).await.unwrap();
    assert_eq!(since.iter().map(|head| &head.id).collect::<Vec<_>>(), [&ids[1]]);
    app.server().stop().await;
}

#[tokio::test]
async fn what_is_not_due_is_said_and_what_is_broken_is_named() {
    let (shop, app, phone) = start().await;
    let admin = shop.as_shopsync().await;
    let mut sent = bill("B-1");
    sent["grand_total"] = json!(100.005);
    let made = phone.make("invoices", sent).await;
    let InvoiceRead::Broken(fault) = app.invoice(&id_of(&made)).await.unwrap() else { panic!("not broken") };
    assert_eq!(fault.kind, FaultKind::Data);
    assert_eq!(
        fault.sentence,
        "The grand total of invoice B-1 cannot be booked: 100.005 has more than 2 decimals."
    );
    assert_eq!(app.list(&EVERYTHING).await.unwrap()[0].grand_total, None);
    app.stamp(&id_of(&made), &Stamp::Failed(fault.sentence.clone())).await.unwrap();
    assert_eq!(phone.read("invoices", made["id"].as_str().unwrap()).await["sync_error"], fault.sentence);

    for (change, reason) in [
        (json!({"status": "draft"}), NotDue::Draft),
        (json!({"status": "revised"}), NotDue::Revised),
        (json!({"status": "cancelled"}), NotDue::Cancelled),
        (json!({"status": "completed", "source": "raintek"}), NotDue::FromPos),
    ] {
        admin.change("invoices", made["id"].as_str().unwrap(), change).await;
        assert_eq!(app.invoice(&id_of(&made)).await.unwrap(), InvoiceRead::NotDue(reason));
        assert_eq!(app.list(&InvoiceScan::All).await.unwrap(), []);
    }
    admin.send("DELETE", &format!("/api/collections/invoices/records/{}", id_of(&made)), None).await;
    assert_eq!(app.invoice(&id_of(&made)).await.unwrap(), InvoiceRead::NotDue(NotDue::Deleted));
    let fault = app.stamp(&id_of(&made), &Stamp::Pending).await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.sentence.as_str()),
        (FaultKind::Data, "The billing app no longer has the invoice.")
    );
    app.server().stop().await;
}

#[tokio::test]
async fn more_than_a_thousand_lines_or_invoices_are_all_there() {
    let (shop, app, phone) = start().await;
    let admin = shop.as_shopsync().await;
    let made = phone.make("invoices", bill("L-1")).await;
    let post = |collection: &str, body: Value| json!({"method": "POST", "url": format!("/api/collections/{collection}/records"), "body": body});
    for start in (0..1200).step_by(400) {
        let lines = (start..start + 400)
            .map(|n| post("invoice_items", json!({"invoice": made["id"], "quantity": n + 1})));
        admin.post("/api/batch", json!({"requests": lines.collect::<Vec<_>>()})).await;
        let bills = (start..start + 400).map(|n| post("invoices", bill(&format!("N-{n}"))));
        admin.post("/api/batch", json!({"requests": bills.collect::<Vec<_>>()})).await;
    }
    let InvoiceRead::Found(invoice) = app.invoice(&id_of(&made)).await.unwrap() else { panic!("not found") };
    assert_eq!(invoice.lines.len(), 1200);
    let ordered = invoice.lines.windows(2).all(|pair| pair[0].quantity < pair[1].quantity);
    assert!(ordered, "in the order of entry");
    assert_eq!(app.list(&EVERYTHING).await.unwrap().len(), 1201);
    app.server().stop().await;
}

#[tokio::test]
async fn a_login_that_no_longer_counts_is_never_an_empty_list() {
    let (shop, app, phone) = start().await;
    let admin = shop.as_shopsync().await;
    open_to_guests(&admin).await;
    let made = phone.make("invoices", bill("T-1")).await;
    let hidden = shop.as_guest().get("/api/collections/invoices/records").await;
    assert_eq!(hidden["items"], json!([]), "a guest sees nothing, and no error");
    assert_eq!(app.list(&EVERYTHING).await.unwrap().len(), 1);

    // Its token is made worthless behind its back.
    let id = {
        let found =
            admin.get(&format!("/api/collections/_superusers/records?filter=(email='{OWN_IDENTITY}')")).await;
        found["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let key = "k".repeat(50);
    admin.change("_superusers", &id, json!({"tokenKey": key})).await;
    assert_eq!(app.list(&EVERYTHING).await.unwrap().len(), 1);
    let admin = shop.as_shopsync().await;
    admin.change("_superusers", &id, json!({"tokenKey": "l".repeat(50)})).await;
    assert!(matches!(app.invoice(&id_of(&made)).await.unwrap(), InvoiceRead::Found(_)));
    let admin = shop.as_shopsync().await;
    admin.change("_superusers", &id, json!({"tokenKey": "m".repeat(50)})).await;
    app.stamp(&id_of(&made), &Stamp::Failed("x".into())).await.unwrap();
    assert_eq!(phone.read("invoices", made["id"].as_str().unwrap()).await["sync_error"], "x");
    // Its password too.
    let admin = shop.as_shopsync().await;
    let password = json!({"password": "another-password", "passwordConfirm": "another-password"});
    admin.change("_superusers", &id, password).await;
    assert_eq!(app.list(&EVERYTHING).await.unwrap().len(), 1);
    app.probe().await.unwrap();
    app.server().stop().await;
}

#[tokio::test]
async fn only_what_is_really_gone_is_missing() {
    let (shop, app, phone) = start().await;
    let admin = shop.as_shopsync().await;
    open_to_guests(&admin).await;
    let mut ids = Vec::new();
    for at in 0..250 {
        ids.push(RecordId::new(format!("inv{at:012}")));
    }
    for some in ids.chunks(50) {
        let make = |id: &RecordId| {
            let mut body = bill(&format!("M-{id}"));
            body["id"] = json!(id.as_str());
            json!({"method": "POST", "url": "/api/collections/invoices/records", "body": body})
        };
        phone.post("/api/batch", json!({"requests": some.iter().map(make).collect::<Vec<_>>()})).await;
    }
    assert_eq!(app.missing(&ids).await.unwrap(), []);
    assert_eq!(app.missing(&[]).await.unwrap(), []);
    // Not due any more, but there.
    for (at, change) in [(0, "draft"), (1, "cancelled"), (2, "revised")] {
        admin.change("invoices", ids[at].as_str(), json!({"status": change})).await;
    }
    admin.change("invoices", ids[3].as_str(), json!({"source": "raintek"})).await;
    for at in [7, 133] {
        admin.send("DELETE", &format!("/api/collections/invoices/records/{}", ids[at]), None).await;
    }
    let gone = [ids[7].clone(), ids[133].clone()];
    assert_eq!(app.missing(&ids).await.unwrap(), gone);
    // Looked for among all: too many to name, and one that cannot be named.
    let strange = RecordId::new("a' || id != '");
    let mut many = ids.clone();
    many.extend((0..900).map(|at| RecordId::new(format!("unknown{at:08}"))));
    many.push(strange.clone());
    let missing = app.missing(&many).await.unwrap();
    assert_eq!((&missing[..2], missing.len()), (&gone[..], 903));
    assert_eq!(app.missing(&[strange.clone(), ids[4].clone()]).await.unwrap(), [strange]);

    // A login that no longer counts sees an open app that shows nothing: the trap.
    let found =
        admin.get(&format!("/api/collections/_superusers/records?filter=(email='{OWN_IDENTITY}')")).await;
    let own = found["items"][0]["id"].as_str().unwrap().to_owned();
    for (round, list) in [ids.clone(), many].into_iter().enumerate() {
        let expected = app.missing(&list).await.unwrap();
        let admin = shop.as_shopsync().await;
        let key = char::from(b'k' + u8::try_from(round).unwrap()).to_string().repeat(50);
        admin.change("_superusers", &own, json!({"tokenKey": key})).await;
        assert_eq!(app.missing(&list).await.unwrap(), expected);
    }
    app.server().stop().await;
    // A server that is away is an error, and nothing is missing for it.
    let away = {
        let mut nobody = Shop::new();
        // Not this machine's, as far as ShopSync knows: nothing is started there.
        nobody.settings.url = format!("http://127.0.0.2:{}", nobody.port);
        nobody.adapter()
    };
    away.missing(&ids).await.unwrap_err();
}

#[tokio::test]
async fn tokens_that_end_soon_are_renewed_even_with_a_wrong_clock() {
    let (mut shop, app, phone) = start().await;
    shop.behind = Duration::from_secs(3600);
    let late = shop.adapter();
    let admin = shop.as_shopsync().await;
    open_to_guests(&admin).await;
    phone.make("invoices", bill("T-2")).await;
    // PocketBase's shortest: ten seconds.
    admin.patch("/api/collections/_superusers", json!({"authToken": {"duration": 10}})).await;
    let fresh = shop.adapter();
    let clock = TestClock::new(1);
    until("a token's life has passed", async || {
        for app in [&app, &late, &fresh] {
            assert_eq!(app.list(&EVERYTHING).await.unwrap().len(), 1);
        }
        clock.elapsed() > Duration::from_secs(12)
    })
    .await;
    app.server().stop().await;
}

#[tokio::test]
async fn a_foreign_superuser_that_is_not_accepted_is_one_sentence() {
    let (mut shop, app, _) = start().await;
    shop.settings.identity = Some("owner@shop.in".into());
    let stranger = shop.adapter();
    let fault = stranger.probe().await.unwrap_err();
    assert_eq!(fault.sentence, "The password of the billing app's superuser is not known.");
    let secrets: &dyn shopsync::ports::Secrets = shop.secrets.as_ref();
    secrets.set(shopsync::billing::GIVEN_PASSWORD_SECRET, "wrong-secret").unwrap();
    let fault = stranger.probe().await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.sentence.as_str()),
        (FaultKind::Config, "The billing app does not accept ShopSync's login.")
    );
    assert!(!fault.to_string().contains("wrong-secret"));
    app.server().stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stamp_never_undoes_what_a_phone_writes_at_the_same_moment() {
    let (shop, app, phone) = start().await;
    let admin = shop.as_shopsync().await;
    for round in 0..60 {
        let made = phone.make("invoices", bill(&format!("R-{round}"))).await;
        let id = id_of(&made);
        let path = format!("/api/collections/invoices/records/{id}");
        let stamp = Stamp::Synced { inv_id: 7, customer: None };
        let (stamped, revised) = tokio::join!(
            app.stamp(&id, &stamp),
            admin.send("PATCH", &path, Some(json!({"status": "revised"}))),
        );
        stamped.unwrap();
        assert_eq!(revised.0, 200, "{revised:?}");
        assert_eq!(phone.read("invoices", id.as_str()).await["status"], "revised", "round {round}");
    }
    app.server().stop().await;
}
