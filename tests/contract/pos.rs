//! What every `Pos` keeps, be it RainTek's database or the simulation's picture of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use rust_decimal::Decimal;

use shopsync::model::awareness::BillPage;
use shopsync::model::bill::{Desired, DesiredCustomer, Found, FoundBill, Lookup, Plan, TILL_ID, Value};
use shopsync::model::customer::{Customer, phone_key};
use shopsync::model::fault::SendOutcome;
use shopsync::model::ids::{CustomerId, InvId, RecordId};
use shopsync::model::invoice::{Invoice, InvoiceStatus, Line, PaymentKind, TaxMode, TaxType, Taxes};
use shopsync::model::settings::default_payments;
use shopsync::ports::{Pos, PosTransaction};
use shopsync::sync::mapping::{MapContext, desired_bill};
use shopsync::sync::numbering::counter_of;
use shopsync::sync::plan::{plan, plan_removal};

/// A shop with a till of its own.
#[async_trait]
pub(crate) trait Shop: Send + Sync {
    /// Another connection each time.
    fn pos(&self) -> Arc<dyn Pos>;
    /// The till makes a bill of its own; Inv_ID and number.
    async fn till_bills(&self) -> (InvId, String);
    /// The till deletes a bill.
    async fn till_deletes(&self, number: &str);
    /// Somebody changes a cell of RainTek's, of the row of this key.
    async fn edits(&self, table: &str, key: i32, column: &str, value: Value);
}

const NUMBER: &str = "GST-9001-2026/27";

pub(crate) fn invoice(code: &str, quantity: i64, customer: Option<Customer>) -> Invoice {
    let rate = Decimal::new(5000, 2);
    let taxable = rate * Decimal::from(quantity);
    let half = taxable * Decimal::new(9, 2);
    let total = taxable + half + half;
    let taxes = Taxes { cgst: half, sgst: half, ..Taxes::default() };
    let line = Line {
        id: RecordId::new("lin000000000001"),
        product_code: code.to_owned(),
        product_name: "Something".into(),
        hsn_code: String::new(),
        barcode: String::new(),
        quantity: Decimal::from(quantity),
        unit: "PCS".into(),
        rate,
        mrp: rate,
        discount_percent: Decimal::ZERO,
        discount: Decimal::ZERO,
        tax_mode: TaxMode::Exclusive,
        gst_rate: Decimal::from(18),
        taxes,
        taxable,
        total,
    };
    Invoice {
        id: RecordId::new("inv000000000001"),
        number: NUMBER.into(),
        date: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day"),
        status: InvoiceStatus::Completed,
        tax_type: TaxType::Gst,
        customer,
        item_count: Some(1),
        taxable,
        taxes,
        freight: Decimal::ZERO,
        discount: Decimal::ZERO,
        round_off: Decimal::ZERO,
        grand_total: total,
        amount_paid: total,
        payment_method: PaymentKind("upi".into()),
        notes: String::new(),
        pos_id: None,
        stamped: false,
        updated: String::new(),
        lines: vec![line],
        payments: Vec::new(),
    }
}

pub(crate) fn lookup(invoice: &Invoice, known: Option<InvId>) -> Lookup {
    Lookup {
        number: invoice.number.clone(),
        inv_id: known,
        tax_type: invoice.tax_type,
        counter: counter_of(&invoice.number),
        product_codes: invoice.lines.iter().map(|line| line.product_code.clone()).collect(),
        phone: invoice.customer.as_ref().and_then(|customer| phone_key(&customer.phone)),
    }
}

async fn planned(pos: &dyn Pos, invoice: &Invoice, found: &Found) -> (Desired, Plan) {
    let context = MapContext { payments: default_payments(), ..MapContext::default() };
    let schema = pos.schema().await.expect("the tables are known");
    let desired = desired_bill(invoice, found, &schema, &context).expect("it can be booked");
    let plan = plan(&desired, found);
    (desired, plan)
}

async fn there(pos: &dyn Pos, inv_id: InvId) -> Vec<FoundBill> {
    pos.read_back(NUMBER, inv_id, TaxType::Gst).await.expect("it can be read")
}

/// Applied, not committed.
async fn applied(
    pos: &dyn Pos,
    invoice: &Invoice,
    known: Option<InvId>,
) -> (Box<dyn PosTransaction>, Desired, Plan, InvId, CustomerId) {
    let (mut transaction, found) = pos.open(&lookup(invoice, known)).await.expect("it opens");
    let (desired, plan) = planned(pos, invoice, &Found { known, ..found }).await;
    let (inv_id, customer) = transaction.apply(&plan).await.expect("it is taken");
    (transaction, desired, plan, inv_id, customer)
}

async fn booked(pos: &dyn Pos, invoice: &Invoice, known: Option<InvId>) -> (Plan, InvId) {
    let (transaction, mut desired, plan, inv_id, customer) = applied(pos, invoice, known).await;
    assert_eq!(transaction.commit().await, SendOutcome::Confirmed);
    desired.customer = DesiredCustomer::Existing(customer);
    let found = Found { bills: there(pos, inv_id).await, known: Some(inv_id), ..Found::default() };
    let again = shopsync::sync::plan::plan(&desired, &found);
    assert!(matches!(again, Plan::Nothing { .. }), "read back: {again:?}");
    (plan, inv_id)
}

/// The whole suite, on a shop that was just opened.
pub(crate) async fn keeps_its_word(shop: &dyn Shop) {
    let pos = shop.pos();
    let before = pos.probe().await.expect("it answers");
    let products = pos.products().await.expect("it has products");
    let code = products.iter().find(|one| one.active).and_then(|one| one.code.clone()).expect("one is sold");
    let small = invoice(&code, 1, None);

    nothing_is_seen_before_the_commit(pos.as_ref(), &small).await;
    one_writes_at_a_time(shop, &small).await;

    let (plan, inv_id) = booked(pos.as_ref(), &small, None).await;
    assert!(matches!(plan, Plan::Insert(_)) && inv_id > before, "{plan:?}");
    assert_eq!(pos.probe().await, Ok(inv_id));

    // Looked up again it is there, with and without the lock, and there is nothing to be done.
    let (transaction, found) = pos.open(&lookup(&small, Some(inv_id))).await.expect("it opens");
    assert_eq!(found.bills.len(), 1);
    assert!(found.marks.counter_has_number && found.marks.counter_taken && found.marks.inv_id == inv_id);
    assert!(matches!(planned(pos.as_ref(), &small, &found).await.1, Plan::Nothing { .. }));
    transaction.rollback().await;
    let inspected = pos.inspect(&lookup(&small, Some(inv_id))).await.expect("it can be inspected");
    assert_eq!((inspected.bills, inspected.products), (found.bills, found.products));

    // Written again it keeps its place, with the new lines alone.
    let large = invoice(&code, 3, None);
    let (plan, again) = booked(pos.as_ref(), &large, Some(inv_id)).await;
    assert!(matches!(plan, Plan::Replace(_)) && again == inv_id, "{plan:?}");
    let bills = there(pos.as_ref(), inv_id).await;
    assert_eq!((bills.len(), bills[0].lines.len(), bills[0].payments.len()), (1, 1, 1));
    assert_eq!(bills[0].lines[0].decimal("Qty"), Decimal::from(3));

    a_new_customer_is_made_once(pos.as_ref(), &code, inv_id).await;
    bills_come_in_pages(shop, pos.as_ref(), inv_id).await;
    a_removed_bill_leaves_nothing(pos.as_ref(), &large, inv_id).await;
}

async fn nothing_is_seen_before_the_commit(pos: &dyn Pos, invoice: &Invoice) {
    for rolled_back in [true, false] {
        let (transaction, _, _, inv_id, _) = applied(pos, invoice, None).await;
        if rolled_back {
            transaction.rollback().await;
        } else {
            drop(transaction);
        }
        assert_eq!(there(pos, inv_id).await, [], "rolled back: {rolled_back}");
    }
    let (transaction, found) = pos.open(&lookup(invoice, None)).await.expect("it opens");
    assert!(found.bills.is_empty() && !found.marks.counter_has_number, "{found:?}");
    transaction.rollback().await;
}

async fn one_writes_at_a_time(shop: &dyn Shop, invoice: &Invoice) {
    let (first, second) = (shop.pos(), shop.pos());
    second.probe().await.expect("it answers");
    let (transaction, _, _, _, _) = applied(first.as_ref(), invoice, None).await;
    let asked = lookup(invoice, None);
    let waiting = second.open(&asked);
    tokio::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(400), &mut waiting).await;
    assert!(early.is_err(), "a second transaction opened beside the first");
    transaction.rollback().await;
    let (transaction, _) = waiting.await.expect("it opens when the first is over");
    transaction.rollback().await;
}

async fn a_new_customer_is_made_once(pos: &dyn Pos, code: &str, inv_id: InvId) {
    let person = Customer { name: "Asha".into(), phone: "+91 90000 12345".into(), ..Customer::default() };
    let mut theirs = invoice(code, 3, Some(person));
    let (_, again) = booked(pos, &theirs, Some(inv_id)).await;
    assert_eq!(again, inv_id);
    // Spelled another way it is the same person.
    theirs.customer = theirs.customer.map(|one| Customer { phone: "090000-12345".into(), ..one });
    let found = pos.inspect(&lookup(&theirs, Some(inv_id))).await.expect("it can be inspected");
    let id = found.customer.expect("the customer is there");
    assert_eq!(found.bills[0].info.int("Customer_ID"), i64::from(id));
    assert_eq!(found.postings.party.name, "Asha");
    assert!(found.postings.party.key.starts_with("C-"), "{:?}", found.postings.party);
}

async fn bills_come_in_pages(shop: &dyn Shop, pos: &dyn Pos, ours: InvId) {
    let (theirs, number) = shop.till_bills().await;
    let page = BillPage { after: ours - 1, from: None, limit: 10 };
    let bills = pos.bills(&page).await.expect("they can be read");
    assert_eq!(bills.iter().map(FoundBill::inv_id).collect::<Vec<_>>(), [ours, theirs]);
    assert_eq!(pos.count_bills(&page).await, Ok(2));
    assert_eq!(bills[0].info.text("TillID"), TILL_ID);
    assert_eq!(bills[1].info.text("InvoiceNo"), number);
    assert!(bills.iter().all(|bill| !bill.lines.is_empty() && !bill.payments.is_empty()));
    assert!(bills.iter().all(|bill| !bill.lines[0].text("ProductCode").is_empty()), "{bills:?}");
    assert_eq!(bills[0].info.text("Name"), "Asha", "the customer comes along");
    let one = BillPage { limit: 1, ..page };
    assert_eq!(pos.bills(&one).await.expect("they can be read").len(), 1);
    let late = BillPage { from: NaiveDate::from_ymd_opt(2100, 1, 1), ..page };
    assert_eq!(pos.count_bills(&late).await, Ok(0));
    let days = pos.our_days().await.expect("they can be counted");
    assert_eq!(days.iter().map(|(_, count, _)| count).sum::<u64>(), 1);
    let marks = pos.number_marks().await.expect("they can be read");
    let n = counter_of(&number).expect("the till numbers its bills");
    assert!(marks.gst >= n.max(9001), "{marks:?}");
    shop.till_deletes(&number).await;
    assert_eq!(pos.count_bills(&page).await, Ok(1));
}

async fn a_removed_bill_leaves_nothing(pos: &dyn Pos, invoice: &Invoice, inv_id: InvId) {
    let asked = lookup(invoice, Some(inv_id));
    let (mut transaction, found) = pos.open(&asked).await.expect("it opens");
    let plan = plan_removal(NUMBER, TaxType::Gst, &found).expect("it stands there");
    transaction.apply(&plan).await.expect("it is taken");
    assert_eq!(transaction.commit().await, SendOutcome::Confirmed);
    assert_eq!(there(pos, inv_id).await, []);
    let (transaction, found) = pos.open(&asked).await.expect("it opens");
    assert!(found.bills.is_empty() && !found.marks.counter_has_number, "{found:?}");
    transaction.rollback().await;
}
