//! Records of the app, written from what was read of them: reading them again has to give the same.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use shopsync::billing::fuzzing::number_json;
use shopsync::model::customer::Customer;
use shopsync::model::invoice::{Invoice, Line, TaxType, Taxes};
use shopsync::model::product::AppProduct;

/// A record of `invoices`, its lines, its payments.
pub fn invoice(invoice: &Invoice) -> (Value, Vec<Value>, Vec<Value>) {
    let mut record = json!({
        "id": invoice.id.as_str(), "invoice_number": invoice.number, "invoice_date": invoice.date.to_string(),
        "status": "completed", "payment_method": invoice.payment_method.0, "notes": invoice.notes,
        "tax_type": if invoice.tax_type == TaxType::Gst { "GST" } else { "NON GST" },
        "item_count": invoice.item_count.unwrap_or(0), "raintek_inv_id": invoice.pos_id.unwrap_or(0),
        "sync_status": if invoice.stamped { "synced" } else { "pending" }, "updated": invoice.updated,
    });
    let fields = record.as_object_mut().unwrap();
    taxes(fields, &invoice.taxes);
    numbers(
        fields,
        &[
            ("taxable_amount", invoice.taxable),
            ("freight", invoice.freight),
            ("discount", invoice.discount),
            ("round_off", invoice.round_off),
            ("grand_total", invoice.grand_total),
            ("amount_paid", invoice.amount_paid),
        ],
    );
    if let Some(customer) = &invoice.customer {
        fields.insert("expand".into(), json!({"customer": self::customer(customer)}));
    }
    let lines = invoice.lines.iter().enumerate().map(|(at, line)| self::line(line, at)).collect();
    let payments = invoice.payments.iter().enumerate();
    let payments = payments.map(|(at, payment)| {
        json!({"mode": payment.mode.0, "amount": number_json(payment.amount), "created": format!("{at:06}")})
    });
    (record, lines, payments.collect())
}

fn line(line: &Line, at: usize) -> Value {
    let mut record = json!({
        "id": line.id.as_str(), "created": format!("{at:06}"), "product_code": line.product_code,
        "product_name": line.product_name, "hsn_code": line.hsn_code, "barcode": line.barcode, "unit": line.unit,
        "tax_mode": line.tax_mode.text(),
    });
    let fields = record.as_object_mut().unwrap();
    taxes(fields, &line.taxes);
    numbers(
        fields,
        &[
            ("quantity", line.quantity),
            ("rate", line.rate),
            ("mrp", line.mrp),
            ("discount_percent", line.discount_percent),
            ("discount", line.discount),
            ("gst_rate", line.gst_rate),
            ("taxable", line.taxable),
            ("total", line.total),
        ],
    );
    record
}

/// A record of `customers`.
pub fn customer(customer: &Customer) -> Value {
    json!({
        "id": customer.id.as_ref().map_or("", |id| id.as_str()), "name": customer.name, "phone": customer.phone,
        "address": customer.address, "city": customer.city, "state": customer.state, "gstin": customer.gstin,
        "raintek_customer_id": customer.pos_id.unwrap_or(0),
    })
}

/// A record of `products`, where all of it was readable.
pub fn product(product: &AppProduct) -> Option<Value> {
    let fields = product.fields.as_ref()?;
    let mut record = json!({
        "id": product.id.as_str(), "product_code": fields.code, "raintek_product_id": fields.pos_id,
        "name": fields.name, "barcode": fields.barcode, "hsn_code": fields.hsn_code, "unit": fields.unit,
        "active": fields.active,
    });
    let of = record.as_object_mut().unwrap();
    numbers(
        of,
        &[
            ("retail_price", fields.retail_price),
            ("mrp", fields.mrp),
            ("current_stock", fields.current_stock),
            ("gst_rate", fields.gst_rate),
        ],
    );
    Some(record)
}

fn taxes(fields: &mut Map<String, Value>, taxes: &Taxes) {
    numbers(
        fields,
        &[("cgst", taxes.cgst), ("sgst", taxes.sgst), ("igst", taxes.igst), ("cess", taxes.cess)],
    );
}

fn numbers(fields: &mut Map<String, Value>, values: &[(&str, Decimal)]) {
    fields.extend(values.iter().map(|(name, value)| ((*name).to_owned(), number_json(*value))));
}
