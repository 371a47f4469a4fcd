//! What would be done with an invoice, in words: for looking on before anything is written.

use crate::model::bill::{Plan, Row, Value};
use crate::model::invoice::Invoice;
use crate::model::money::rupees;
use crate::model::posting::Book;

/// One sentence; a conflict is the caller's to tell.
pub fn would_be(plan: &Plan, invoice: &Invoice) -> Option<String> {
    let what = content(invoice);
    Some(match plan {
        Plan::Insert(plan) => {
            let new = if plan.new_customer.is_some() { ", who is new to RainTek" } else { "" };
            format!("Would be booked as a new bill of {what}{new}.")
        }
        Plan::Replace(plan) => {
            let new = if plan.new_customer.is_some() { ", who is new to RainTek" } else { "" };
            format!("Would take the place of its bill in RainTek (Inv_ID {}): {what}{new}.", plan.inv_id)
        }
        Plan::Nothing { inv_id, .. } => {
            format!("Stands in RainTek just so (Inv_ID {inv_id}): nothing would be written.")
        }
        Plan::Remove(plan) => format!("Would be removed from RainTek (Inv_ID {}).", plan.inv_id),
        Plan::Conflict(_) => return None,
    })
}

/// The rows that would be written, each with its table, in the order in which RainTek writes them.
pub fn rows(plan: &Plan) -> Vec<(&'static str, Row)> {
    let mut rows: Vec<(&'static str, Row)> = Vec::new();
    let mut add = |table, some: &[Row]| rows.extend(some.iter().map(|row| (table, row.clone())));
    let postings = match plan {
        Plan::Insert(plan) => {
            add("Customer", plan.new_customer.as_slice());
            add("InvoiceInfo", std::slice::from_ref(&plan.info));
            add("Invoice_Product", &plan.lines);
            add("Invoice_Payment", &plan.payments);
            add(plan.tax_type.counter_table(), plan.counter_row.as_slice());
            &plan.postings
        }
        Plan::Replace(plan) => {
            add("Customer", plan.new_customer.as_slice());
            add("InvoiceInfo", std::slice::from_ref(&plan.info));
            add("Invoice_Product", plan.lines.as_deref().unwrap_or_default());
            if let Some(payments) = &plan.payments {
                let updated: Vec<Row> = payments.update.iter().map(|(_, row)| row.clone()).collect();
                add("Invoice_Payment", &updated);
                add("Invoice_Payment", &payments.insert);
            }
            add(plan.tax_type.counter_table(), plan.counter_row.as_slice());
            &plan.postings
        }
        Plan::Remove(_) | Plan::Nothing { .. } | Plan::Conflict(_) => return rows,
    };
    for book in Book::ALL {
        add(book.table(), postings.insert.rows(book));
    }
    rows
}

/// A row in one line: `InvoiceInfo: GrandTotal 106.00, InvoiceNo "GST-1"`. What is written only so that no column stays
/// NULL (zero, nothing, no) is left out.
pub fn told(table: &str, row: &Row) -> String {
    let says = |value: &Value| match value {
        Value::Null | Value::Bit(false) => false,
        Value::Int(number) => *number != 0,
        Value::Dec(number) => !number.is_zero(),
        Value::Text(text) => !text.is_empty(),
        Value::Date(_) | Value::Bit(true) | Value::Bytes(_) => true,
    };
    let columns = row.0.iter().filter(|(_, value)| says(value));
    let columns: Vec<_> = columns.map(|(name, value)| format!("{name} {value}")).collect();
    format!("{table}: {}", columns.join(", "))
}

/// `Rs 2,900.00 with 3 lines for Asha`.
fn content(invoice: &Invoice) -> String {
    let lines = match invoice.lines.len() {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    };
    let name = invoice.customer.as_ref().map(|customer| customer.name.trim()).unwrap_or_default();
    let whom = if name.is_empty() { "the walk-in customer" } else { name };
    format!("Rs {} with {lines} for {whom}", rupees(invoice.grand_total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bill::{Conflict, Found, FoundBill};
    use crate::model::customer::Customer;
    use crate::sync::fixtures::{context, found, invoice, schema};
    use crate::sync::mapping::desired_bill;
    use crate::sync::plan::plan;

    fn planned(invoice: &Invoice, found: &Found) -> Plan {
        plan(&desired_bill(invoice, found, &schema(), &context()).unwrap(), found)
    }

    #[test]
    fn every_plan_has_its_words() {
        let mut invoice = invoice();
        let insert = planned(&invoice, &found());
        assert_eq!(
            would_be(&insert, &invoice).unwrap(),
            "Would be booked as a new bill of Rs 106.00 with 1 line for the walk-in customer."
        );
        invoice.customer =
            Some(Customer { name: "Asha".into(), phone: "9876543210".into(), ..Customer::default() });
        let nobody = Found { customer: None, ..found() };
        assert_eq!(
            would_be(&planned(&invoice, &nobody), &invoice).unwrap(),
            "Would be booked as a new bill of Rs 106.00 with 1 line for Asha, who is new to RainTek."
        );
        let tables: Vec<_> = rows(&insert).into_iter().map(|(table, _)| table).collect();
        assert_eq!(tables, ["InvoiceInfo", "Invoice_Product", "Invoice_Payment", "SaleGST"]);
        let head = rows(&insert).into_iter().find(|(table, _)| *table == "InvoiceInfo").unwrap();
        let head = told(head.0, &head.1);
        assert!(head.contains("GrandTotal 106.00") && head.contains("TillID \"SHOPSYNC\""), "{head}");
        assert!(!head.contains(" 0,") && !head.contains("\"\"") && !head.contains(" no,"), "{head}");
        let Plan::Insert(insert) = insert else { panic!() };
        let bill = FoundBill {
            info: insert.info,
            lines: insert.lines,
            payments: insert.payments,
            counter: insert.counter_row.into_iter().collect(),
            postings: insert.postings.insert,
        };
        let there = Found { bills: vec![bill], ..found() };
        let same = would_be(&planned(&invoice, &there), &invoice).unwrap();
        assert!(same.starts_with("Stands in RainTek just so (Inv_ID 701)"), "{same}");
        invoice.notes = "changed".into();
        let other = would_be(&planned(&invoice, &there), &invoice).unwrap();
        assert!(
            other.starts_with("Would take the place of its bill in RainTek (Inv_ID 701): Rs 106.00"),
            "{other}"
        );
        let conflict = Plan::Conflict(Conflict::Ambiguous { inv_ids: vec![1, 2] });
        assert_eq!(would_be(&conflict, &invoice), None);
    }
}
