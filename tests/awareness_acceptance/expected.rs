//! What the app has to show of a bill, worked out here from RainTek's rows as texts and from nothing of the product's.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::pocketbase::Caller;
use crate::shop::Shop;

pub(crate) fn number(row: &Value, column: &str) -> Decimal {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}")).parse().unwrap()
}

pub(crate) fn amount(record: &Value, field: &str) -> Decimal {
    record[field].to_string().parse().unwrap_or_else(|_| panic!("{field} of {record}"))
}

fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap().trim()
}

fn row<'a>(dump: &'a Value, table: &str, column: &str, wanted: &str) -> &'a Value {
    let mut rows = dump[table].as_array().unwrap().iter();
    rows.find(|row| row[column] == wanted).unwrap_or_else(|| panic!("no {table} of {column} {wanted}"))
}

fn mode(text: &str) -> &'static str {
    match text {
        "By Cash" => "cash",
        "Google Pay" => "upi",
        "PhonePe" => "phonepe",
        credit if credit.starts_with("Credit Terms") => "credit",
        other => panic!("the till of these tests does not take {other}"),
    }
}

/// Fields of a line and the columns that hold them.
const CURRENT: &[(&str, &str)] = &[
    ("rate", "SalesRate"),
    ("cgst", "CGSTAmt"),
    ("sgst", "SGSTAmt"),
    ("igst", "IGSTAmt"),
    ("cess", "CESSAmt"),
    ("taxable", "TaxableAmt"),
    ("total", "TotalAmount"),
];
const OLD: &[(&str, &str)] = &[("rate", "SellingPrice"), ("gst_rate", "VATPer"), ("total", "Amount")];

/// The second half of a tax, which takes an odd paisa.
fn rest(tax: Decimal) -> Decimal {
    tax - (tax / Decimal::TWO).round_dp(2)
}

/// Compares every field of the app's invoice, its lines and payments with RainTek's rows.
pub(crate) async fn assert_shown(shop: &Shop, owner: &Caller, number_of: &str) -> Value {
    let dump = shop.dump().await;
    let bill = row(&dump, "InvoiceInfo", "InvoiceNo", number_of);
    let shown = shop.invoices(owner, number_of).await;
    let shown: Vec<Value> = shown.into_iter().filter(|invoice| invoice["status"] == "completed").collect();
    assert_eq!(shown.len(), 1, "{number_of} is shown once");
    let invoice = shown[0].clone();
    for (field, expected) in [("source", "raintek"), ("sync_status", "na"), ("sync_error", "")] {
        assert_eq!(invoice[field], expected, "{number_of}.{field}");
    }
    assert_eq!(invoice["raintek_inv_id"].to_string(), text(bill, "Inv_ID"));
    let before_gst = shop.generation == "old";
    assert_eq!(invoice["tax_type"], if before_gst { "GST" } else { text(bill, "TaxType") });
    assert_eq!(invoice["notes"], text(bill, "Remarks"));
    let day = text(bill, "InvoiceDate").split(' ').next().unwrap();
    assert_eq!(invoice["invoice_date"], format!("{day} 00:00:00.000Z"));
    let rows = bill["Invoice_Product"].as_array().unwrap();
    if before_gst {
        // One tax a line, shown in two halves; what is left of the line is taxed.
        let sum = |take: &dyn Fn(&Value) -> Decimal| rows.iter().map(take).sum::<Decimal>();
        assert_eq!(amount(&invoice, "cgst"), sum(&|row| number(row, "VAT") - rest(number(row, "VAT"))));
        assert_eq!(amount(&invoice, "sgst"), sum(&|row| rest(number(row, "VAT"))));
        let taxable = sum(&|row| number(row, "Amount") - number(row, "VAT"));
        assert_eq!(amount(&invoice, "taxable_amount"), taxable);
        assert_eq!(taxable + sum(&|row| number(row, "VAT")), number(bill, "SubTotal"));
    } else {
        for (field, column) in [
            ("taxable_amount", "TaxableAmt"),
            ("cgst", "CGST"),
            ("sgst", "SGST"),
            ("igst", "IGST"),
            ("cess", "CESS"),
        ] {
            assert_eq!(amount(&invoice, field), number(bill, column), "{number_of}.{field}");
        }
    }
    for (field, column) in [
        ("freight", "FreightCharges"),
        ("discount", "OtherCharges"),
        ("round_off", "RoundOff"),
        ("grand_total", "GrandTotal"),
        ("amount_paid", "TotalPaid"),
    ] {
        assert_eq!(amount(&invoice, field), number(bill, column), "{number_of}.{field}");
    }
    customer(shop, &dump, bill, owner, &invoice).await;

    let items = shop.parts(owner, "invoice_items", &invoice).await;
    assert_eq!(items.len(), rows.len(), "lines of {number_of}");
    assert_eq!(amount(&invoice, "item_count"), Decimal::from(rows.len()));
    for line in rows {
        let product = row(&dump, "Product", "PID", text(line, "ProductID"));
        let code = text(product, "ProductCode");
        // The till of these tests bills a product once.
        let item = items.iter().find(|item| item["product_code"] == code).unwrap();
        let named = [
            ("mrp", "MRP"),
            ("discount_percent", "DiscountPer"),
            ("discount", "Discount"),
            ("quantity", "Qty"),
        ];
        for (field, column) in named.into_iter().chain(if before_gst { OLD } else { CURRENT }.iter().copied())
        {
            assert_eq!(amount(item, field), number(line, column), "{number_of}, {code}.{field}");
        }
        if before_gst {
            let vat = number(line, "VAT");
            assert_eq!((amount(item, "cgst"), amount(item, "sgst")), (vat - rest(vat), rest(vat)));
            assert_eq!(amount(item, "taxable"), number(line, "Amount") - vat);
        } else {
            let rate = number(line, "CGSTPer") + number(line, "SGSTPer") + number(line, "IGSTPer");
            assert_eq!(amount(item, "gst_rate"), rate);
            assert_eq!(item["tax_mode"], text(line, "STaxType"));
        }
        let barcode = Some(text(line, "Barcode")).filter(|barcode| *barcode != "0").unwrap_or_default();
        assert_eq!(item["barcode"], barcode);
        assert_eq!(item["unit"], text(line, "MainUnit"));
        assert_eq!(item["product_name"], text(product, "ProductName"));
        assert_eq!(item["hsn_code"], text(product, "HSNCode"));
        let linked = owner.read("products", item["product"].as_str().unwrap()).await;
        assert_eq!(linked["raintek_product_id"], text(product, "PID"), "the product of {code} is linked");
    }

    let rows = bill["Invoice_Payment"].as_array().unwrap();
    let modes: Vec<&str> = rows.iter().map(|row| mode(text(row, "PaymentMode"))).collect();
    let payments = shop.parts(owner, "invoice_payments", &invoice).await;
    if modes.len() == 1 && modes[0] != "phonepe" {
        assert_eq!(invoice["payment_method"], modes[0]);
        assert!(payments.is_empty());
    } else {
        assert_eq!(invoice["payment_method"], "split");
        assert_eq!(payments.len(), rows.len());
        for (mode, row) in modes.iter().zip(rows) {
            let payment = payments.iter().find(|payment| payment["mode"] == *mode).unwrap();
            assert_eq!(amount(payment, "amount"), number(row, "TotalPaid"));
            assert_eq!(payment["paid_on"], format!("{day} 00:00:00.000Z"));
        }
    }
    invoice
}

async fn customer(shop: &Shop, dump: &Value, bill: &Value, owner: &Caller, invoice: &Value) {
    let customer = row(dump, "Customer", "ID", text(bill, shop.customer_column()));
    let linked = invoice["customer"].as_str().unwrap();
    if text(customer, "Name") == "Cash" {
        assert_eq!(linked, "", "the walk-in customer is nobody");
        return;
    }
    let there = owner.read("customers", linked).await;
    assert_eq!(there["raintek_customer_id"].to_string(), text(customer, "ID"));
    // One that the app had keeps its own name and spelling.
    let digits = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.chars().skip(digits.len().saturating_sub(10)).collect::<String>()
    };
    assert_eq!(digits(there["phone"].as_str().unwrap()), digits(text(customer, "ContactNo")));
    if there["city"] != "kept" {
        for (field, column) in [("name", "Name"), ("state", "State"), ("city", "City"), ("gstin", "GSTIN")] {
            // Before GST nobody had a number of it.
            let held = customer[column].as_str().unwrap_or_default().trim();
            assert_eq!(there[field], held);
        }
    }
}
