//! A small shop whose two sides are the same: one invoice of the app, one bill of the till.

use serde_json::{Value, json};

use super::{App, Memory, TillBill};

/// Both sides, and what was remembered.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) app: App,
    pub(super) dump: Value,
    pub(super) memory: Memory,
}

pub(super) fn shop() -> Shop {
    let opening = json!({ "Customer": [walk_in()] });
    let dump = dump();
    let mut memory = Memory { opening, numbers: vec!["APP-0001-2026/27".into()], ..Memory::default() };
    memory.close_till(&dump);
    let said = json!({
        "inv_id": 1, "grand_total": "50.00", "lines": [{ "pid": 1, "qty": "1.000", "total": "50.00" }],
        "payments": [{ "mode": "By Cash", "amount": "50.00" }]
    });
    let said = TillBill::said(&said).unwrap();
    memory.till_said.insert("GST-0150-2026/27".into(), said);
    Shop { app: app(), dump, memory }
}

fn app() -> App {
    App {
        invoices: vec![json!({
            "id": "inv1", "invoice_number": "APP-0001-2026/27", "invoice_date": "2026-11-20 18:40:00.000Z",
            "status": "completed", "tax_type": "GST", "customer": "cus1", "item_count": 2,
            "taxable_amount": 189.74, "cgst": 10.59, "sgst": 10.59, "igst": 0, "cess": 0, "freight": 10,
            "discount": 5, "round_off": 0.08, "grand_total": 216, "amount_paid": 100, "payment_method": "split",
            "notes": "Gift", "source": "app", "sync_status": "synced", "sync_error": "", "raintek_inv_id": 2
        })],
        items: vec![
            json!({
                "id": "item1", "invoice": "inv1", "product": "", "product_code": "P-0001", "barcode": "",
                "unit": "", "quantity": 3, "rate": 33.33, "mrp": 40, "discount_percent": 10, "discount": 10,
                "tax_mode": "Exclusive", "gst_rate": 18, "cgst": 8.1, "sgst": 8.1, "igst": 0, "cess": 0,
                "taxable": 89.99, "total": 106.19
            }),
            // Nothing but what was sold: RainTek's arithmetic fills in the rest.
            json!({
                "id": "item2", "invoice": "inv1", "product": "pro2", "product_code": "", "barcode": "77",
                "unit": "KG", "quantity": 0.25, "rate": 399, "mrp": 420, "tax_mode": "Exclusive", "gst_rate": 5
            }),
        ],
        payments: vec![
            json!({ "id": "pay1", "invoice": "inv1", "mode": "cash", "amount": 100 }),
            json!({ "id": "pay2", "invoice": "inv1", "mode": "credit", "amount": 116 }),
        ],
        customers: vec![json!({
            "id": "cus1", "name": "Meena Stores", "phone": "+91 80010 00001", "address": "12, 4th Main",
            "city": "Mysuru", "state": "Karnataka", "gstin": "", "raintek_customer_id": 2
        })],
        products: vec![
            app_product("pro1", "P-0001", "1", 33.33, "890"),
            app_product("pro2", "P-0002", "2", 399.0, ""),
        ],
    }
}

fn app_product(id: &str, code: &str, pid: &str, price: f64, barcode: &str) -> Value {
    json!({
        "id": id, "product_code": code, "raintek_product_id": pid, "name": format!("Item {pid}"),
        "hsn_code": "1006", "unit": "KG", "barcode": barcode, "retail_price": price, "mrp": 45,
        "current_stock": 12.5, "gst_rate": 5, "active": true, "last_synced_at": "2026-11-20 10:00:00.000Z"
    })
}

fn dump() -> Value {
    json!({
        "Company": [{ "State": "Karnataka" }],
        "Customer": [walk_in(), {
            "ID": "2", "CustomerID": "C-0002", "Name": "Meena Stores", "ContactNo": "+91 80010 00001",
            "Address": "12, 4th Main", "City": "Mysuru", "State": "Karnataka", "GSTIN": "", "Lstatus": "No",
            "DiscStatus": "No", "Optype": "DR", "Status": "Activated", "Remarks": ""
        }],
        "Product": [
            product("1", "P-0001", "33.33", "890", "555"),
            product("2", "P-0002", "399.00", "0", "0"),
        ],
        "InvoiceInfo": [till_bill(), bill()],
        "SaleGST": [
            { "ID": "150", "InvNo": "GST-0150-2026/27" },
            { "ID": "1", "InvNo": "APP-0001-2026/27" },
        ],
        "SaleNoTax": [],
    })
}

fn walk_in() -> Value {
    json!({ "ID": "1", "CustomerID": "C-0001", "Name": "Cash", "ContactNo": "", "State": "" })
}

fn product(pid: &str, code: &str, price: &str, lot_barcode: &str, barcode: &str) -> Value {
    json!({
        "PID": pid, "ProductCode": code, "ProductName": format!("Item {pid}"), "HSNCode": "1006",
        "SalesUnit": "KG", "SellingPrice": price, "MRP": "40.00", "CostPrice": "20.00", "CGST": "2.50",
        "SGST": "2.50", "Barcode": barcode, "Status": "Yes",
        "Product_OpeningStock": lots(lot_barcode)
    })
}

/// The newest has neither a price nor a barcode.
fn lots(barcode: &str) -> Value {
    let older = if barcode == "0" { "0" } else { "889" };
    json!([
        { "ID": "1", "Qty": "10.000", "MRP": "41.00", "Barcode": older },
        { "ID": "2", "Qty": "2.500", "MRP": "45.00", "Barcode": barcode },
        { "ID": "3", "Qty": "0.000", "MRP": "0.00", "Barcode": "0" },
    ])
}

fn till_bill() -> Value {
    json!({
        "Inv_ID": "1", "InvoiceNo": "GST-0150-2026/27", "TillID": "TILL-1", "GrandTotal": "50.00",
        "TaxableAmt": "50.00", "Invoice_Product": [till_line()],
        "Invoice_Payment": [{ "TotalPaid": "50.00", "PaymentMode": "By Cash" }]
    })
}

fn till_line() -> Value {
    json!({ "ProductID": "1", "TaxableAmt": "50.00", "TotalAmount": "50.00", "Qty": "1.000" })
}

/// As text: too much for the macro.
fn bill() -> Value {
    serde_json::from_str(BILL).unwrap()
}

const BILL: &str = r#"{
    "Inv_ID": "2", "InvoiceNo": "APP-0001-2026/27", "InvoiceDate": "2026-11-21 00:00:00.000",
    "TaxType": "GST", "Customer_ID": "2", "SalesmanID": "0", "SubTotal": "210.92", "CGST": "10.59",
    "SGST": "10.59", "IGST": "0.00", "CESS": "0.00", "TaxableAmt": "189.74", "FreightCharges": "10.00",
    "OtherCharges": "5.00", "BillDiscount": "5.00", "Total": "215.92", "RoundOff": "0.08",
    "GrandTotal": "216.00", "TotalPaid": "100.00", "Balance": "116.00", "Tender": "100.00",
    "BillCash": "100.00", "Refund": "0.00", "Remarks": "Gift", "TillID": "SHOPSYNC",
    "Operator": "ShopSync", "CType": "Retail", "BillSundry": "None", "TCSPer": "0.000", "Narration": "",
    "Invoice_Product": [
        {
            "IPo_ID": "8", "ProductID": "2", "Barcode": "77", "SalesRate": "399.00", "Qty": "0.250",
            "DiscountPer": "0.0000", "Discount": "0.00", "TotalAmount": "104.73", "TaxableAmt": "99.75",
            "MRP": "420.00", "STaxType": "Exclusive", "MainUnit": "KG", "CGSTPer": "2.50", "SGSTPer": "2.50",
            "IGSTPer": "0.00", "CGSTAmt": "2.49", "SGSTAmt": "2.49", "IGSTAmt": "0.00", "CESSAmt": "0.00",
            "PurchaseRate": "20.00", "Margin": "94.75", "TotalMRP": "105.00", "Descr": ""
        },
        {
            "IPo_ID": "7", "ProductID": "1", "Barcode": "555", "SalesRate": "33.33", "Qty": "3.000",
            "DiscountPer": "10.0000", "Discount": "10.00", "TotalAmount": "106.19", "TaxableAmt": "89.99",
            "MRP": "40.00", "STaxType": "Exclusive", "MainUnit": "KG", "CGSTPer": "9.00", "SGSTPer": "9.00",
            "IGSTPer": "0.00", "CGSTAmt": "8.10", "SGSTAmt": "8.10", "IGSTAmt": "0.00", "CESSAmt": "0.00",
            "PurchaseRate": "20.00", "Margin": "29.99", "TotalMRP": "120.00", "Descr": ""
        }
    ],
    "Invoice_Payment": [
        { "PaymentDate": "2026-11-21 00:00:00.000", "TotalPaid": "100.00", "PaymentMode": "By Cash", "BankAc": "" },
        {
            "PaymentDate": "2026-11-21 00:00:00.000", "TotalPaid": "116.00",
            "PaymentMode": "Credit Terms - 30 days", "BankAc": ""
        }
    ]
}"#;
