//! Whether a bill that was proven once still stands in RainTek as the app has it: the same plan function, given what
//! RainTek's master data said when the bill was made.

use super::awareness::{desired_digest, either};
use super::mapping::{MapContext, desired_bill};
use super::plan::{differences, plan};
use crate::model::bill::{Desired, Difference, Found, FoundBill, Plan};
use crate::model::fault::Fault;
use crate::model::ids::InvId;
use crate::model::invoice::Invoice;
use crate::model::schema::PosSchema;

/// The answer of [`audit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audit {
    /// It stands there just so.
    Same,
    /// It stands there differently.
    Differs(Vec<Difference>),
    /// It is not there, or what carries its number is not ours.
    Missing,
    /// It cannot be compared: the invoice could not be booked as it is now.
    Unclear(Fault),
}

/// Compares. `found` is what [`crate::ports::Pos::inspect`] read; `inv_id` is where the bill was proven.
pub fn audit(
    invoice: &Invoice,
    inv_id: InvId,
    found: &Found,
    schema: &PosSchema,
    context: &MapContext,
) -> Audit {
    let Some(bill) = found.bills.iter().find(|bill| bill.inv_id() == inv_id) else { return Audit::Missing };
    let then = as_of_the_bill(found, bill, inv_id);
    let desired = match desired_then(invoice, bill, &then, schema, context) {
        Ok(desired) => desired,
        Err(fault) => return Audit::Unclear(fault),
    };
    match plan(&desired, &then) {
        Plan::Nothing { inv_id: there, .. } if there == inv_id => Audit::Same,
        Plan::Replace(_) => Audit::Differs(differences(&desired, bill)),
        _ => Audit::Missing,
    }
}

/// The digest that the bill has where it stands as the app has it; `None` where that cannot be said.
pub(super) fn digest_then(
    invoice: &Invoice,
    bill: &FoundBill,
    found: &Found,
    schema: &PosSchema,
    context: &MapContext,
) -> Option<String> {
    let then = as_of_the_bill(found, bill, bill.inv_id());
    desired_digest(&desired_then(invoice, bill, &then, schema, context).ok()?)
}

fn desired_then(
    invoice: &Invoice,
    bill: &FoundBill,
    then: &Found,
    schema: &PosSchema,
    context: &MapContext,
) -> Result<Desired, Fault> {
    let mut now = invoice.clone();
    // Receipts that came later are booked on account and change no bill: what RainTek counted as paid then counts.
    now.amount_paid = bill.info.decimal("TotalPaid");
    desired_bill(&now, then, schema, context)
}

/// Cost prices change, and customers move to another phone or are renamed: that makes no old bill wrong.
fn as_of_the_bill(found: &Found, bill: &FoundBill, inv_id: InvId) -> Found {
    let mut then = found.clone();
    then.known = Some(inv_id);
    for product in &mut then.products {
        let line = bill.lines.iter().find(|line| line.int("ProductID") == i64::from(product.pid));
        if let Some(line) = line {
            product.cost_price = line.decimal(either(line, "PurchaseRate", "CostPrice"));
            product.unit = line.text("MainUnit").trim().to_owned();
            product.barcode = line.text("Barcode").trim().to_owned();
        }
    }
    then.customer = bill.customer_id().or(then.customer);
    then.postings.party = bill.party().unwrap_or(then.postings.party);
    then
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bill::Value;
    use crate::model::posting::{Book, Party};
    use crate::sync::fixtures::{context, decimal, found, invoice, schema};

    fn booked() -> (Found, FoundBill) {
        booked_by(&context())
    }

    fn booked_by(context: &MapContext) -> (Found, FoundBill) {
        let desired = desired_bill(&invoice(), &found(), &schema(), context).unwrap();
        let Plan::Insert(plan) = plan(&desired, &found()) else { panic!() };
        let bill = FoundBill {
            info: plan.info,
            lines: plan.lines,
            payments: plan.payments,
            counter: plan.counter_row.into_iter().collect(),
            postings: plan.postings.insert,
        };
        (Found { bills: vec![bill.clone()], ..found() }, bill)
    }

    fn check(invoice: &Invoice, found: &Found) -> Audit {
        audit(invoice, 701, found, &schema(), &context())
    }

    #[test]
    fn what_was_booked_is_the_same_also_after_costs_and_receipts_changed() {
        let (mut found, _) = booked();
        assert_eq!(check(&invoice(), &found), Audit::Same);
        found.products[0].cost_price = decimal("25.00");
        found.customer = Some(77);
        let mut paid_later = invoice();
        paid_later.amount_paid = decimal("50.00");
        assert_eq!(check(&paid_later, &found), Audit::Same);
    }

    #[test]
    fn postings_are_compared_by_the_name_the_customer_had() {
        let posting = crate::model::settings::PostingSettings::ALL;
        let context = MapContext { posting, ..context() };
        let (mut found, _) = booked_by(&context);
        found.postings.party = Party { key: "C-0009".into(), name: "Renamed".into() };
        let check = |found: &Found| audit(&invoice(), 701, found, &schema(), &context);
        assert_eq!(check(&found), Audit::Same);
        let ledger = found.bills[0].postings.0.get_mut(&Book::CustomerLedgerBook).unwrap();
        ledger[0].0.insert("Debit".into(), Value::Dec(decimal("1")));
        let Audit::Differs(all) = check(&found) else { panic!() };
        assert_eq!(all[0].table, "CustomerLedgerBook");
    }

    #[test]
    fn what_somebody_changed_is_named() {
        let (mut found, _) = booked();
        found.bills[0].info.0.insert("GrandTotal".into(), Value::Dec(decimal("96.00")));
        let Audit::Differs(all) = check(&invoice(), &found) else { panic!() };
        assert!(all.iter().any(|difference| difference.column == "GrandTotal"), "{all:?}");
        found.bills.clear();
        assert_eq!(check(&invoice(), &found), Audit::Missing);
    }

    #[test]
    fn an_inv_id_that_raintek_reused_is_missing() {
        let (mut found, _) = booked();
        found.bills[0].info.0.insert("InvoiceNo".into(), Value::Text("GST-0999-2025/26".into()));
        found.bills[0].info.0.insert("TillID".into(), Value::Text("COUNTER-1".into()));
        assert_eq!(check(&invoice(), &found), Audit::Missing);
    }

    #[test]
    fn a_bill_that_stands_under_another_inv_id_is_missing_where_it_was_proven() {
        let (mut found, bill) = booked();
        let mut again = bill;
        again.info.0.insert("Inv_ID".into(), Value::Int(705));
        found.bills.push(again);
        // A till took over the Inv_ID after ours was deleted.
        found.bills[0].info.0.insert("InvoiceNo".into(), Value::Text("GST-0999-2025/26".into()));
        found.bills[0].info.0.insert("TillID".into(), Value::Text("COUNTER-1".into()));
        assert_eq!(check(&invoice(), &found), Audit::Missing);
    }

    #[test]
    fn a_unit_that_a_product_got_since_makes_no_old_bill_wrong() {
        let mut invoice = invoice();
        invoice.lines[0].unit = String::new();
        for (then, now) in [("PCS", "BOX"), ("PCS", ""), ("", "BOX")] {
            let mut found = found();
            found.products[0].unit = then.into();
            let desired = desired_bill(&invoice, &found, &schema(), &context()).unwrap();
            let Plan::Insert(plan) = plan(&desired, &found) else { panic!() };
            let (info, lines, payments) = (plan.info, plan.lines, plan.payments);
            let counter = plan.counter_row.into_iter().collect();
            found.bills = vec![FoundBill { info, lines, payments, counter, ..FoundBill::default() }];
            found.products[0].unit = now.into();
            assert_eq!(check(&invoice, &found), Audit::Same, "{then:?}, then {now:?}");
        }
    }

    #[test]
    fn a_customer_of_the_older_generation_may_move_to_another_phone_too() {
        let schema = crate::sync::fixtures::older_schema();
        let desired = desired_bill(&invoice(), &found(), &schema, &context()).unwrap();
        let Plan::Insert(plan) = plan(&desired, &found()) else { panic!() };
        let (info, lines, payments) = (plan.info, plan.lines, plan.payments);
        let counter = plan.counter_row.into_iter().collect();
        let bill = FoundBill { info, lines, payments, counter, ..FoundBill::default() };
        let mut found = Found { bills: vec![bill], customer: Some(77), ..found() };
        assert_eq!(audit(&invoice(), 701, &found, &schema, &context()), Audit::Same);
        found.customer = None;
        assert_eq!(
            audit(&invoice(), 701, &found, &schema, &context()),
            Audit::Same,
            "nobody has it any more"
        );
    }

    #[test]
    fn a_ledger_without_the_customers_name_tells_it_by_its_account() {
        let mut schema = schema();
        let columns = &mut schema.tables.get_mut("LedgerBook").unwrap().columns;
        columns.retain(|column| column.name != "PartyName");
        let posting = crate::model::settings::PostingSettings::ALL;
        let context = MapContext { posting, ..context() };
        let mut found = found();
        found.postings.party = Party { key: "C-0007".into(), name: "Asha Traders".into() };
        let desired = desired_bill(&invoice(), &found, &schema, &context).unwrap();
        let Plan::Insert(plan) = plan(&desired, &found) else { panic!() };
        let mut postings = plan.postings.insert;
        // The server may give them back in any order.
        postings.0.get_mut(&Book::LedgerBook).unwrap().reverse();
        let (info, lines, payments) = (plan.info, plan.lines, plan.payments);
        found.bills = vec![FoundBill {
            info,
            lines,
            payments,
            counter: plan.counter_row.into_iter().collect(),
            postings,
        }];
        found.postings.party = Party { key: "C-0007".into(), name: "Renamed".into() };
        assert_eq!(audit(&invoice(), 701, &found, &schema, &context), Audit::Same);
    }
}
