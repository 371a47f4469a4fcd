//! The small shop after a day on which both sides were changed: one invoice revised, one removed, one left, one that the
//! till wrote over, one of RainTek's own bills shown and one deleted.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::fixture::{Shop, shop};
use super::{Decision, Notes, TillBill};

/// Numbers of the app's invoices.
pub(super) const REVISED: &str = "APP-0001-2026/27";
pub(super) const REMOVED: &str = "APP-0002-2026/27";
pub(super) const LEFT: &str = "APP-0003-2026/27";
pub(super) const WRITTEN_OVER: &str = "APP-0004-2026/27";

pub(super) fn mixed_shop() -> Shop {
    let mut shop = shop();
    let mut notes = Notes::default();
    let ours = shop.dump["InvoiceInfo"][1].clone();
    shop.memory.numbers = vec![REVISED.into(), REMOVED.into(), LEFT.into(), WRITTEN_OVER.into()];

    // Before it was revised it came to a rupee more.
    let old = bill_of(&ours, REVISED, "2", "217.00", "1.08");
    notes.copies.push(copy_of(&old));
    let mut revised = add_invoice(&mut shop, REVISED, "revised", "old1", 2);
    revised["grand_total"] = json!(217);
    revised["round_off"] = json!(1.08);
    revised["sync_status"] = json!("synced");
    shop.app.invoices.push(revised);
    split_of(&mut shop, "old1", 117);
    notes.booked.insert("old1".into(), "2".into());

    let mut removed = add_invoice(&mut shop, REMOVED, "cancelled", "gone1", 0);
    removed["sync_status"] = json!("na");
    shop.app.invoices.push(removed);
    split_of(&mut shop, "gone1", 116);
    notes.copies.push(copy_of(&bill_of(&ours, REMOVED, "3", "216.00", "0.08")));
    notes.decisions.insert(REMOVED.into(), Decision::Remove);

    let left = add_invoice(&mut shop, LEFT, "cancelled", "left1", 4);
    shop.app.invoices.push(left);
    split_of(&mut shop, "left1", 116);
    push(&mut shop.dump, "InvoiceInfo", bill_of(&ours, LEFT, "4", "216.00", "0.08"));
    push(&mut shop.dump, "SaleGST", json!({ "ID": "3", "InvNo": LEFT }));
    notes.decisions.insert(LEFT.into(), Decision::Leave);

    let over = add_invoice(&mut shop, WRITTEN_OVER, "completed", "over1", 5);
    shop.app.invoices.push(over);
    split_of(&mut shop, "over1", 116);
    push(&mut shop.dump, "InvoiceInfo", bill_of(&ours, WRITTEN_OVER, "5", "216.00", "0.08"));
    push(&mut shop.dump, "SaleGST", json!({ "ID": "4", "InvNo": WRITTEN_OVER }));
    let mut by_till = bill_of(&ours, WRITTEN_OVER, "5", "50.00", "0.00");
    by_till["TillID"] = json!("TILL-1");
    notes.written_over.push((WRITTEN_OVER.into(), TillBill::standing(&by_till)));
    notes.copies.push(copy_of(&by_till));

    shop.dump["InvoiceInfo"][0] = raintek_bill();
    shop.app.invoices.push(shown_invoice());
    shop.app.items.push(shown_item());
    let mut deleted = shown_invoice();
    for (field, value) in
        [("id", json!("rt2")), ("invoice_number", json!("GST-0149-2026/27")), ("status", json!("cancelled"))]
    {
        deleted[field] = value;
    }
    shop.app.invoices.push(deleted);
    notes.deleted.push(("1".into(), "GST-0149-2026/27".into()));
    notes.edited = 1;

    shop.memory.mixed = Some(notes);
    let dump = shop.dump.clone();
    shop.memory.close_till(&dump);
    shop
}

/// An invoice as the fixture's first, with its lines.
fn add_invoice(shop: &mut Shop, number: &str, status: &str, id: &str, inv_id: i64) -> Value {
    let mut invoice = shop.app.invoices[0].clone();
    for (field, value) in [
        ("id", json!(id)),
        ("invoice_number", json!(number)),
        ("status", json!(status)),
        ("raintek_inv_id", json!(inv_id)),
    ] {
        invoice[field] = value;
    }
    for at in 0..2 {
        let mut item = shop.app.items[at].clone();
        item["invoice"] = json!(id);
        item["id"] = json!(format!("{id}{at}"));
        shop.app.items.push(item);
    }
    invoice
}

fn split_of(shop: &mut Shop, id: &str, credit: i64) {
    for (mode, amount) in [("cash", 100), ("credit", credit)] {
        shop.app.payments.push(json!({ "invoice": id, "mode": mode, "amount": amount }));
    }
}

/// The fixture's bill under another number and Inv_ID, and of another total, all of it on credit.
fn bill_of(bill: &Value, number: &str, inv_id: &str, total: &str, round_off: &str) -> Value {
    let mut bill = bill.clone();
    let credit = (total.parse::<Decimal>().unwrap() - Decimal::ONE_HUNDRED).to_string();
    for (column, value) in [
        ("InvoiceNo", number),
        ("Inv_ID", inv_id),
        ("GrandTotal", total),
        ("RoundOff", round_off),
        ("Balance", &credit),
    ] {
        bill[column] = json!(value);
    }
    bill["Invoice_Payment"][1]["TotalPaid"] = json!(credit);
    bill
}

fn push(dump: &mut Value, table: &str, row: Value) {
    dump[table].as_array_mut().unwrap().push(row);
}

/// A bill as the file of a copy holds it.
pub(super) fn copy_of(bill: &Value) -> Value {
    let row = |row: &Value| -> Value {
        let cells = row.as_object().unwrap().iter().filter(|(_, value)| value.is_string());
        let cells = cells.map(|(column, value)| {
            let text = value.as_str().unwrap();
            let cell = match text.strip_suffix(" 00:00:00.000") {
                Some(day) => json!({ "date": format!("{day}T00:00:00") }),
                None if column == "Inv_ID" => json!({ "int": text.parse::<i64>().unwrap() }),
                None if text.parse::<f64>().is_ok() => json!({ "dec": text }),
                None => json!({ "text": text }),
            };
            (column.clone(), cell)
        });
        Value::Object(cells.collect::<Map<_, _>>())
    };
    let rows = |table: &str| -> Value { bill[table].as_array().unwrap().iter().map(row).collect() };
    json!({
        "info": row(bill), "lines": rows("Invoice_Product"), "payments": rows("Invoice_Payment"), "counter": []
    })
}

fn raintek_bill() -> Value {
    serde_json::from_str(RAINTEK_BILL).unwrap()
}

fn shown_invoice() -> Value {
    json!({
        "id": "rt1", "invoice_number": "GST-0150-2026/27", "invoice_date": "2026-11-21 00:00:00.000Z",
        "status": "completed", "tax_type": "GST", "customer": "", "item_count": 1, "taxable_amount": 47.62,
        "cgst": 1.19, "sgst": 1.19, "igst": 0, "cess": 0, "freight": 0, "discount": 0, "round_off": 0,
        "grand_total": 50, "amount_paid": 50, "payment_method": "cash", "notes": "", "source": "raintek",
        "sync_status": "na", "sync_error": "", "raintek_inv_id": 1
    })
}

fn shown_item() -> Value {
    json!({
        "id": "rti1", "invoice": "rt1", "product": "pro1", "product_code": "P-0001", "product_name": "Item 1",
        "hsn_code": "1006", "barcode": "890", "unit": "KG", "quantity": 1, "rate": 50, "mrp": 55,
        "discount_percent": 0, "discount": 0, "tax_mode": "Inclusive", "gst_rate": 5, "cgst": 1.19, "sgst": 1.19,
        "igst": 0, "cess": 0, "taxable": 47.62, "total": 50
    })
}

const RAINTEK_BILL: &str = r#"{
    "Inv_ID": "1", "InvoiceNo": "GST-0150-2026/27", "InvoiceDate": "2026-11-21 00:00:00.000", "TaxType": "GST",
    "Customer_ID": "1", "TillID": "TILL-1", "TaxableAmt": "47.62", "CGST": "1.19", "SGST": "1.19", "IGST": "0.00",
    "CESS": "0.00", "FreightCharges": "0.00", "OtherCharges": "0.00", "RoundOff": "0.00", "GrandTotal": "50.00",
    "TotalPaid": "50.00", "Remarks": "",
    "Invoice_Product": [{
        "ProductID": "1", "Barcode": "890", "SalesRate": "50.00", "Qty": "1.000", "DiscountPer": "0.0000",
        "Discount": "0.00", "CGSTPer": "2.50", "SGSTPer": "2.50", "IGSTPer": "0.00", "CGSTAmt": "1.19",
        "SGSTAmt": "1.19", "IGSTAmt": "0.00", "CESSAmt": "0.00", "TaxableAmt": "47.62", "TotalAmount": "50.00",
        "MRP": "55.00", "STaxType": "Inclusive", "MainUnit": "KG"
    }],
    "Invoice_Payment": [{ "TotalPaid": "50.00", "PaymentMode": "By Cash" }]
}"#;
