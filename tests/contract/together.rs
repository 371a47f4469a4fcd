//! Many bills looked up together are what each is by itself, as far as a comparison can tell.

use shopsync::model::bill::{Found, FoundBill, Lookup, Plan, Value};
use shopsync::model::customer::Customer;
use shopsync::model::fault::SendOutcome;
use shopsync::model::ids::InvId;
use shopsync::model::invoice::{Invoice, TaxType};
use shopsync::model::posting::Book;
use shopsync::model::product::PosProduct;
use shopsync::model::settings::{PostingSettings, default_payments};
use shopsync::ports::Pos;
use shopsync::sync::awareness::found_digest;
use shopsync::sync::mapping::{MapContext, desired_bill};
use shopsync::sync::plan::plan;
use shopsync::sync::scan::{Verdict, verdict};

use super::pos::{Shop, invoice, lookup};

/// An invoice and where it was booked.
type Booked = (Invoice, InvId);

fn context(posting: PostingSettings) -> MapContext {
    MapContext { payments: default_payments(), posting, ..MapContext::default() }
}

async fn booked(pos: &dyn Pos, invoice: Invoice, posting: PostingSettings) -> Booked {
    let (mut transaction, found) = pos.open(&lookup(&invoice, None)).await.expect("it opens");
    let schema = pos.schema().await.expect("the tables are known");
    let desired = desired_bill(&invoice, &found, &schema, &context(posting)).expect("it can be booked");
    let plan = plan(&desired, &found);
    assert!(matches!(plan, Plan::Insert(_)), "{plan:?}");
    let (inv_id, _) = transaction.apply(&plan).await.expect("it is taken");
    assert_eq!(transaction.commit().await, SendOutcome::Confirmed);
    (invoice, inv_id)
}

fn own<'a>(found: &'a Found, (invoice, inv_id): &Booked) -> Option<&'a FoundBill> {
    found.bills.iter().find(|bill| bill.inv_id() == *inv_id && bill.has_number(&invoice.number))
}

/// Asks for all at once and for each, and returns what a scan says of them.
async fn agreed(pos: &dyn Pos, all: &[Booked], posting: PostingSettings) -> Vec<Verdict> {
    let schema = pos.schema().await.expect("the tables are known");
    let lookups: Vec<Lookup> = all.iter().map(|(invoice, inv_id)| lookup(invoice, Some(*inv_id))).collect();
    let together = pos.inspect_all(&lookups).await.expect("they can be looked up");
    assert_eq!(together.len(), all.len());
    let mut verdicts = Vec::new();
    for ((booked, asked), mut many) in all.iter().zip(&lookups).zip(together) {
        let number = &booked.0.number;
        let mut alone = pos.inspect(asked).await.expect("it can be looked up");
        assert_eq!(many.bills, alone.bills, "{number:?}");
        assert_eq!((many.known, &many.company_state), (alone.known, &alone.company_state), "{number:?}");
        let digest = own(&alone, booked).map(found_digest);
        if digest.is_some() {
            many.products.sort_by_key(|product| product.pid);
            alone.products.sort_by_key(|product| product.pid);
            assert_eq!(many.products, alone.products, "{number:?}");
            assert_eq!(many.postings.stray, alone.postings.stray, "{number:?}");
        }
        let mut judged = Vec::new();
        for proven in [None, digest.as_deref(), Some("another")] {
            let judge = |found| verdict(&booked.0, booked.1, found, proven, &schema, &context(posting));
            let (many, alone) = (judge(&many), judge(&alone));
            assert_eq!(many, alone, "{number:?}, proven as {proven:?}");
            judged.push(many);
        }
        verdicts.extend(judged.into_iter().next());
    }
    verdicts
}

/// What a verdict is, without its words.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Same { .. } => "same",
        Verdict::Mismatch(mismatch) if mismatch.total.is_none() => "gone",
        Verdict::Mismatch(_) => "edited",
        Verdict::Unclear(_) => "unclear",
    }
}

fn sold(products: &[PosProduct]) -> String {
    products.iter().find(|one| one.active).and_then(|one| one.code.clone()).expect("one is sold")
}

/// On a shop that was just opened, whose adapters look at these postings.
pub(crate) async fn are_found_as_each(shop: &dyn Shop, posting: PostingSettings) {
    let pos = shop.pos();
    let code = sold(&pos.products().await.expect("it has products"));
    assert_eq!(pos.inspect_all(&[]).await, Ok(Vec::new()));

    let (early, _) = shop.till_bills().await;
    let person = |name: &str, phone: &str| {
        Some(Customer { name: name.into(), phone: phone.into(), ..Customer::default() })
    };
    let plain = |number: &str, quantity: i64, customer: Option<Customer>| Invoice {
        number: number.to_owned(),
        ..invoice(&code, quantity, customer)
    };
    let mut wanted = vec![
        plain("GST-9201-2026/27", 1, None),
        plain("GST-9202-2026/27", 2, person("Asha", "+91 90000 12345")),
        plain("GST-9203-2026/27", 3, None),
        plain("GST-9204-2026/27", 1, person("Ravi", "+91 90000 54321")),
        plain("GST-9205-2026/27", 2, None),
        plain("GST-9206-2026/27", 3, None),
        plain("GST-9207-2026/27", 1, person("Meena", "+91 90000 99999")),
        plain("GST-9208-2026/27", 2, person("Asha", "90000-12345")),
        Invoice { tax_type: TaxType::NonGst, ..plain("SINV-9209-2026/27", 1, None) },
    ];
    let mut all: Vec<Booked> = Vec::new();
    for one in wanted.drain(..) {
        all.push(booked(pos.as_ref(), one, posting).await);
    }
    let (late, late_number) = shop.till_bills().await;
    // Backwards: the answers are in the order of what was asked.
    all.reverse();
    for pos in [pos.clone(), shop.pos()] {
        let said = agreed(pos.as_ref(), &all, posting).await;
        assert!(said.iter().all(|verdict| word(verdict) == "same"), "{said:?}");
    }
    all.reverse();

    let text = |text: &str| Value::Text(text.to_owned());
    let lookups: Vec<Lookup> = all.iter().map(|(invoice, inv_id)| lookup(invoice, Some(*inv_id))).collect();
    let before = pos.inspect_all(&lookups).await.expect("they can be looked up");
    // Two numbers twice: a bill of the till's before ours, and one behind it.
    shop.edits("InvoiceInfo", early, "InvoiceNo", text(&all[0].0.number)).await;
    shop.edits("InvoiceInfo", late, "InvoiceNo", text(&all[2].0.number)).await;
    // Its customer has another phone by now; another bill stands under its Inv_ID; it is gone; it was changed.
    let asha = before[1].bills[0].customer_id().expect("it is somebody's");
    shop.edits("Customer", asha, "ContactNo", text("98400 00001")).await;
    shop.edits("InvoiceInfo", all[3].1, "InvoiceNo", text("OTHER-1")).await;
    shop.till_deletes(&all[4].0.number).await;
    shop.edits("InvoiceInfo", all[5].1, "GrandTotal", Value::Dec(1.into())).await;
    // It is nobody's; and where ledgers are looked at, one names nobody.
    shop.edits("InvoiceInfo", all[6].1, "Customer_ID", Value::Null).await;
    if let Some(sales) = before[7].bills[0].postings.rows(Book::LedgerBook).first() {
        let id = i32::try_from(sales.int("ID")).expect("a key");
        shop.edits("LedgerBook", id, "Label", text("Sale")).await;
    }
    // What was never there, what no number is, and letters that a server may take for others.
    let other = |number: &str, inv_id: InvId| (plain(number, 1, None), inv_id);
    all.extend([
        other("GST-9300-2026/27", 999_999),
        other(&late_number, late),
        other("gst-9201-2026/27", all[0].1),
        other("GST-9201-2026/27  ", all[0].1),
        other(" GST-9201-2026/27", all[0].1),
        other("GST-92é1-2026/27", all[5].1),
        other("", all[5].1),
        other("OTHER-1", all[3].1),
    ]);
    for pos in [pos.clone(), shop.pos()] {
        let said = agreed(pos.as_ref(), &all, posting).await;
        let said: Vec<&str> = said.iter().map(word).collect();
        let expected = ["edited", "same", "edited", "gone", "gone", "edited", "same"];
        assert_eq!(&said[..expected.len()], expected);
        assert_eq!((said[7], said[8]), (if posting.ledgers { "edited" } else { "same" }, "same"));
        assert_eq!((said[9], said[10]), ("gone", "gone"));
        // Each by itself, without any other beside it.
        for one in &all {
            agreed(pos.as_ref(), std::slice::from_ref(one), posting).await;
        }
    }
}
