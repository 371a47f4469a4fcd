use proptest::prelude::*;

use super::*;
use crate::model::settings::default_payments;
use crate::sync::fixtures::{context, decimal, found, invoice, schema};
use crate::sync::mapping::desired_bill;

fn row(cells: &[(&str, &str)]) -> Row {
    let value = |text: &str| match text.parse::<Decimal>() {
        Ok(number) if !text.starts_with('\'') => Value::Dec(number),
        _ => match text.parse::<NaiveDate>() {
            Ok(day) => Value::Date(day.and_time(chrono::NaiveTime::MIN)),
            Err(_) => Value::Text(text.trim_start_matches('\'').to_owned()),
        },
    };
    Row(cells.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect())
}

/// Vector L2 as a till bills it, to a customer.
fn bill() -> FoundBill {
    FoundBill {
        info: row(&[
            ("Inv_ID", "7"),
            ("InvoiceNo", "GST-0007-2025/26"),
            ("InvoiceDate", "2026-03-31"),
            ("TaxType", "GST"),
            ("Customer_ID", "12"),
            ("SubTotal", "106.19"),
            ("CGST", "8.10"),
            ("SGST", "8.10"),
            ("IGST", "0"),
            ("CESS", "0"),
            ("TaxableAmt", "89.99"),
            ("FreightCharges", "0"),
            ("OtherCharges", "1.00"),
            ("BillDiscount", "1.00"),
            ("Total", "105.19"),
            ("RoundOff", "-0.19"),
            ("GrandTotal", "105.00"),
            ("TotalPaid", "55.00"),
            ("Remarks", "To the back door"),
            ("TillID", "TILL-1"),
            ("Name", "Asha"),
            ("ContactNo", "'+91 98765 43210"),
            ("State", "Tamil Nadu"),
        ]),
        lines: vec![row(&[
            ("ProductID", "11"),
            ("Barcode", "'8901"),
            ("SalesRate", "33.33"),
            ("Qty", "3.000"),
            ("DiscountPer", "10.0000"),
            ("Discount", "10.00"),
            ("CGSTPer", "9"),
            ("CGSTAmt", "8.10"),
            ("SGSTPer", "9"),
            ("SGSTAmt", "8.10"),
            ("TotalAmount", "106.19"),
            ("TaxableAmt", "89.99"),
            ("MRP", "40"),
            ("STaxType", "Exclusive"),
            ("MainUnit", "PCS"),
            ("ProductCode", "P-0001"),
            ("ProductName", "Blue pen"),
            ("HSNCode", "'9608"),
        ])],
        payments: vec![
            row(&[("PaymentMode", "By Cash"), ("TotalPaid", "55.00"), ("PaymentDate", "2026-03-31")]),
            row(&[
                ("PaymentMode", "Credit Terms - 15 days"),
                ("TotalPaid", "50.00"),
                ("PaymentDate", "2026-03-31"),
            ]),
        ],
        ..FoundBill::default()
    }
}

fn shown(bill: &FoundBill) -> PosInvoice {
    pos_invoice(bill, &default_payments()).unwrap()
}

#[test]
fn a_bill_reads_backwards_column_by_column() {
    let PosInvoice { invoice, products, paid_on, payment_ids } = shown(&bill());
    let day = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
    assert_eq!((invoice.number.as_str(), invoice.date, invoice.pos_id), ("GST-0007-2025/26", day, Some(7)));
    assert_eq!(invoice.tax_type, TaxType::Gst);
    let numbers = [
        (invoice.taxable, "89.99"),
        (invoice.taxes.cgst, "8.10"),
        (invoice.discount, "1.00"),
        (invoice.round_off, "-0.19"),
        (invoice.grand_total, "105.00"),
        (invoice.amount_paid, "55.00"),
    ];
    for (number, expected) in numbers {
        assert_eq!(number, decimal(expected));
    }
    assert_eq!((invoice.payment_method.0.as_str(), invoice.notes.as_str()), ("split", "To the back door"));
    let split: Vec<_> = invoice.payments.iter().map(|p| (p.mode.0.as_str(), p.amount)).collect();
    assert_eq!(split, [("cash", decimal("55.00")), ("credit", decimal("50.00"))]);
    assert_eq!((products, paid_on), (vec![11], vec![day, day]));
    assert_eq!(payment_ids.len(), 2);
    let line = &invoice.lines[0];
    assert_eq!((line.product_code.as_str(), line.product_name.as_str()), ("P-0001", "Blue pen"));
    assert_eq!((line.hsn_code.as_str(), line.barcode.as_str(), line.unit.as_str()), ("9608", "8901", "PCS"));
    assert_eq!((line.gst_rate, line.quantity, line.mrp), (decimal("18"), decimal("3"), decimal("40")));
    let customer = invoice.customer.unwrap();
    assert_eq!((customer.name.as_str(), customer.pos_id), ("Asha", Some(12)));
}

#[test]
fn the_walk_in_customer_is_nobody() {
    for cells in [&[("Name", "CASH")][..], &[("Name", ""), ("ContactNo", "'0")]] {
        let mut bill = bill();
        bill.info.0.extend(row(cells).0);
        assert_eq!(shown(&bill).invoice.customer, None, "{cells:?}");
    }
    let mut bill = bill();
    bill.info.0.extend(row(&[("ContactNo", "'0")]).0);
    assert_eq!(shown(&bill).invoice.customer.unwrap().phone, "", "a phone that is none may stand twice");
}

#[test]
fn ways_to_pay_are_the_apps_words() {
    let paid = |modes: &[&str]| {
        let mut bill = bill();
        bill.payments =
            modes.iter().map(|mode| row(&[("PaymentMode", mode), ("TotalPaid", "35.00")])).collect();
        let invoice = shown(&bill).invoice;
        let split: Vec<String> = invoice.payments.into_iter().map(|payment| payment.mode.0).collect();
        (invoice.payment_method.0, split.join(" "), invoice.notes.contains("in RainTek"))
    };
    let table: [(&[&str], &str, &str, bool); 11] = [
        (&["By Cash"], "cash", "", false),
        (&["Google Pay"], "upi", "", false),
        (&["By Debit Card"], "card", "", false),
        (&["BY CREDIT CARD"], "card", "", false),
        (&["By Cheque"], "cheque", "", false),
        (&["Credit Terms - 90 days"], "credit", "", false),
        (&["Credit Terms - Adjust"], "credit", "", false),
        // The app has no word for it as a method, but as a payment.
        (&["PhonePe"], "split", "phonepe", false),
        (&["Paytm", "E-Wallet", "Google Pay"], "split", "paytm wallet upi", false),
        (&["Coupon"], "cash", "", true),
        (&[], "credit", "", false),
    ];
    for (modes, method, split, noted) in table {
        assert_eq!(paid(modes), (method.to_owned(), split.to_owned(), noted), "{modes:?}");
    }
}

/// The settings give one text to a word; a till goes on writing RainTek's own.
#[test]
fn raintek_texts_are_known_whatever_the_settings_call_them() {
    let renamed: BTreeMap<String, String> =
        default_payments().into_keys().map(|word| (word.clone(), format!("Our {word}"))).collect();
    let table = [
        ("By Cash", "cash"),
        ("By Cheque", "cheque"),
        ("By Debit Card", "card"),
        ("Google Pay", "gpay"),
        ("PhonePe", "phonepe"),
        ("Paytm", "paytm"),
        ("E-Wallet", "wallet"),
        ("Our paytm", "paytm"),
    ];
    for (text, word) in table {
        let mut bill = bill();
        // Of two payments each is told by itself.
        let payment = |mode: &str| row(&[("PaymentMode", mode), ("TotalPaid", "35.00")]);
        bill.payments = vec![payment(text), payment("Credit Terms - 30 days")];
        let invoice = pos_invoice(&bill, &renamed).unwrap().invoice;
        assert_eq!(invoice.notes, "To the back door", "{text} is no text that needs a note");
        let words: Vec<&str> = invoice.payments.iter().map(|payment| payment.mode.0.as_str()).collect();
        assert_eq!(words, [word, "credit"], "{text}");
    }
}

#[test]
fn what_cannot_be_shown_is_a_sentence() {
    let mut bill = bill();
    bill.info.0.insert("InvoiceDate".into(), Value::Null);
    assert!(pos_invoice(&bill, &default_payments()).unwrap_err().contains("GST-0007-2025/26 has no date"));
    bill.info.0.insert("InvoiceNo".into(), Value::Text(" ".into()));
    assert!(pos_invoice(&bill, &default_payments()).unwrap_err().contains("Inv_ID 7"));
}

#[test]
fn half_of_a_bill_is_noticed() {
    let whole =
        FoundBill { payments: vec![row(&[("TotalPaid", "55")]), row(&[("TotalPaid", "50")])], ..bill() };
    assert!(is_whole(&whole));
    assert!(!is_whole(&FoundBill { lines: Vec::new(), ..whole.clone() }));
    assert!(!is_whole(&FoundBill { payments: whole.payments[..1].to_vec(), ..whole.clone() }));
    let mut more = whole.clone();
    more.lines.push(more.lines[0].clone());
    assert!(!is_whole(&more));
}

#[test]
fn a_bill_of_ours_has_the_digest_of_what_was_written() {
    let desired = desired_bill(&invoice(), &found(), &schema(), &context()).unwrap();
    let mut there = FoundBill {
        info: desired.info.clone(),
        lines: desired.lines.clone(),
        payments: desired.payments.clone(),
        ..FoundBill::default()
    };
    there.info.0.insert("Inv_ID".into(), Value::Int(701));
    there.info.0.insert("Customer_ID".into(), Value::Int(1));
    // As another column type, and with what the read brings along.
    there.info.0.insert("GrandTotal".into(), Value::Dec(decimal("106")));
    there.info.0.insert("Name".into(), Value::Text("Cash".into()));
    assert_eq!(desired_digest(&desired), Some(found_digest(&there)));
    let changed: [fn(&mut FoundBill); 4] = [
        |bill| drop(bill.info.0.insert("GrandTotal".into(), Value::Int(107))),
        |bill| drop(bill.info.0.insert("Customer_ID".into(), Value::Int(2))),
        |bill| drop(bill.lines[0].0.insert("Qty".into(), Value::Int(4))),
        |bill| drop(bill.payments.pop()),
    ];
    for change in changed {
        let mut other = there.clone();
        change(&mut other);
        assert_ne!(desired_digest(&desired), Some(found_digest(&other)));
    }
    there.info.0.insert("TillID".into(), Value::Text("TILL-1".into()));
    assert_eq!(desired_digest(&desired), Some(found_digest(&there)), "who saved it is not what it says");
}

#[test]
fn records_follow_from_the_bill() {
    assert_eq!(record_id(7, " gst-1 "), record_id(7, "GST-1"));
    assert_ne!(record_id(7, "GST-1"), record_id(7, "SINV-1"), "an Inv_ID is given out again");
    assert_ne!(record_id(7, "GST-1"), record_id(8, "GST-1"));
    let id = record_id(7, "GST-1");
    assert_eq!(id.as_str().len(), 15);
    assert_ne!(part_id(&id, "line", 1), part_id(&id, "payment", 1));
}

#[test]
fn many_missing_at_once_are_suspicious() {
    let table = [
        (1, 0, false),
        (2, 0, false),
        (3, 0, true),
        (10, 4, true),
        (10, 5, false),
        (10, 10, false),
        (0, 0, false),
    ];
    for (known, shown, expected) in table {
        assert_eq!(is_suspicious(known, shown), expected, "{known} {shown}");
    }
}

#[test]
fn a_mismatch_is_one_sentence() {
    assert_eq!(
        edited_sentence("GST-1", Some(decimal("2900")), decimal("2800")),
        "GST-1 was changed in RainTek: app total 2,900.00, RainTek total 2,800.00. The app is the master: write it again?"
    );
    assert!(edited_sentence("GST-1", Some(decimal("5")), decimal("5.00")).contains("totals are equal"));
}

#[test]
fn a_head_that_came_before_its_lines_or_payments_is_half_a_bill() {
    let mut bill =
        FoundBill { payments: vec![row(&[("TotalPaid", "55")]), row(&[("TotalPaid", "50")])], ..bill() };
    bill.info.0.insert("SubTotal".into(), Value::Int(0));
    assert!(is_whole(&bill), "an installation that fills in no sum of the lines");
    assert!(!is_whole(&FoundBill { lines: Vec::new(), ..bill.clone() }), "nothing to add up is no proof");
    bill.info.0.insert("GrandTotal".into(), Value::Int(0));
    assert!(!is_whole(&FoundBill { payments: Vec::new(), ..bill }), "nor is a total yet to come");
}

#[test]
fn how_a_price_carries_its_tax_is_taken_from_raintek() {
    for (text, mode) in [
        ("Inclusive", TaxMode::Inclusive),
        ("Exempt GST", TaxMode::ExemptGst),
        ("No Taxes", TaxMode::NoTaxes),
        ("exclusive ", TaxMode::Exclusive),
    ] {
        let mut bill = bill();
        bill.lines[0].0.insert("STaxType".into(), Value::Text(text.into()));
        assert_eq!(shown(&bill).invoice.lines[0].tax_mode, mode, "{text}");
    }
    // The older generation does not say: a line without tax is one without taxes, not one whose price holds some.
    let mut older = bill();
    older.lines =
        vec![row(&[("SellingPrice", "30"), ("Qty", "2"), ("VATPer", "0"), ("VAT", "0"), ("Amount", "60")])];
    assert_eq!(shown(&older).invoice.lines[0].tax_mode, TaxMode::NoTaxes);
}

#[test]
fn what_a_customer_owes_is_not_shown_as_paid() {
    let mut bill = bill();
    bill.info.0.remove("TotalPaid");
    assert_eq!(shown(&bill).invoice.amount_paid, decimal("55.00"), "50.00 of the bill are on credit");
}

#[test]
fn a_bill_of_nothing_is_owed_by_nobody() {
    let mut bill = FoundBill { payments: Vec::new(), ..bill() };
    assert_eq!(shown(&bill).invoice.payment_method.0, "credit", "nothing was paid of it");
    bill.info.0.insert("GrandTotal".into(), Value::Int(0));
    assert_eq!(shown(&bill).invoice.payment_method.0, "cash");
}

#[test]
fn a_bill_that_nobody_claims_is_named_with_its_total() {
    assert_eq!(
        unclaimed_sentence("GST-1", decimal("2800")),
        "GST-1 (2,800.00) stands in RainTek as an invoice of the app, and the app has no such invoice."
    );
}

proptest! {
    #[test]
    fn amounts_come_through_to_the_paisa(
        paise in prop::collection::vec(0_i64..1_000_000_000, 1..6), grams in 1_i64..1_000_000,
    ) {
        let mut bill = bill();
        let total: i64 = paise.iter().sum();
        bill.info.0.insert("GrandTotal".into(), Value::Dec(Decimal::new(total, 2)));
        bill.lines[0].0.insert("Qty".into(), Value::Dec(Decimal::new(grams, 3)));
        bill.payments = paise
            .iter()
            .map(|paise| {
                Row([
                    ("PaymentMode".to_owned(), Value::Text("PhonePe".into())),
                    ("TotalPaid".to_owned(), Value::Dec(Decimal::new(*paise, 2))),
                ].into())
            })
            .collect();
        let invoice = shown(&bill).invoice;
        prop_assert_eq!(invoice.grand_total, Decimal::new(total, 2));
        prop_assert_eq!(invoice.payments.iter().map(|p| p.amount).sum::<Decimal>(), Decimal::new(total, 2));
        prop_assert_eq!(invoice.lines[0].quantity, Decimal::new(grams, 3));
    }

    #[test]
    fn the_digest_knows_no_order_of_rows(seed in 0_usize..6) {
        let mut one = bill();
        let mut second = one.lines[0].clone();
        second.0.insert("Qty".into(), Value::Int(9));
        one.lines.push(second);
        let mut other = one.clone();
        other.lines.rotate_left(seed % 2);
        other.payments.rotate_left(seed % 2);
        prop_assert_eq!(found_digest(&one), found_digest(&other));
    }
}
