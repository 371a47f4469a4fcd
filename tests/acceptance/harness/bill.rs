//! Invoices as a phone makes them, with amounts worked out here by RainTek's arithmetic.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Shop;
use crate::pocketbase::Caller;

pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// Half to even, two decimals.
pub(crate) fn r2(value: Decimal) -> Decimal {
    value.round_dp(2)
}

/// A number as JSON carries it.
pub(crate) fn json_number(value: Decimal) -> Value {
    Value::Number(value.to_string().parse().unwrap())
}

/// One item of an invoice.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) barcode: String,
    pub(crate) quantity: Decimal,
    pub(crate) unit: String,
    pub(crate) rate: Decimal,
    pub(crate) mrp: Decimal,
    pub(crate) percent: Decimal,
    pub(crate) mode: &'static str,
    pub(crate) gst: Decimal,
    pub(crate) cess: Decimal,
}

/// What a line comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Amounts {
    pub(crate) discount: Decimal,
    pub(crate) cgst: Decimal,
    pub(crate) sgst: Decimal,
    pub(crate) igst: Decimal,
    pub(crate) cess: Decimal,
    pub(crate) taxable: Decimal,
    pub(crate) total: Decimal,
}

impl Amounts {
    pub(crate) fn taxes(&self) -> Decimal {
        self.cgst + self.sgst + self.igst + self.cess
    }
}

impl Line {
    pub(crate) fn new(code: &str, quantity: &str, rate: &str, mode: &'static str, gst: &str) -> Self {
        Self {
            code: code.into(),
            name: format!("Item {code}"),
            barcode: String::new(),
            quantity: dec(quantity),
            unit: "PCS".into(),
            rate: dec(rate),
            mrp: dec(rate) + Decimal::TEN,
            percent: Decimal::ZERO,
            mode,
            gst: dec(gst),
            cess: Decimal::ZERO,
        }
    }

    pub(crate) fn percent(mut self, percent: &str) -> Self {
        self.percent = dec(percent);
        self
    }

    /// raintek.md, "Arithmetic".
    pub(crate) fn amounts(&self, other_state: bool) -> Amounts {
        let hundred = Decimal::ONE_HUNDRED;
        let gross = r2(self.quantity * self.rate);
        let discount = r2(gross * self.percent / hundred);
        let base = gross - discount;
        let (half, whole) = (r2(base * self.gst / Decimal::TWO / hundred), r2(base * self.gst / hundred));
        let carved = r2(base - base / (Decimal::ONE + self.gst / hundred));
        let cess = r2(base * self.cess / hundred);
        let plain = Amounts { discount, ..Amounts::default() };
        let mut amounts = match (self.mode, other_state) {
            ("Exclusive", false) => Amounts { cgst: half, sgst: half, cess, ..plain },
            ("Exclusive", true) => Amounts { igst: whole, cess, ..plain },
            ("Inclusive", false) => {
                let half = r2(carved / Decimal::TWO);
                Amounts { cgst: half, sgst: half, ..plain }
            }
            ("Inclusive", true) => Amounts { igst: carved, ..plain },
            ("Exempt GST", _) => Amounts { cess, ..plain },
            _ => plain,
        };
        if self.mode == "Inclusive" {
            amounts.total = r2(base);
            amounts.taxable = r2(self.quantity * self.rate - discount - amounts.taxes());
        } else {
            amounts.total = base + amounts.taxes();
            amounts.taxable = r2(self.quantity * self.rate - discount);
        }
        amounts
    }
}

/// An invoice as a phone sends it.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    pub(crate) number: String,
    /// As PocketBase takes it.
    pub(crate) date: String,
    /// The day it is in the shop.
    pub(crate) day: NaiveDate,
    pub(crate) tax_type: &'static str,
    /// The record.
    pub(crate) customer: Option<String>,
    pub(crate) other_state: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) freight: Decimal,
    pub(crate) discount: Decimal,
    pub(crate) rounded: bool,
    pub(crate) method: &'static str,
    /// The grand total where it is left out.
    pub(crate) paid: Option<Decimal>,
    pub(crate) payments: Vec<(&'static str, Decimal)>,
    pub(crate) notes: String,
    /// The app leaves taxes, taxable values and line totals to ShopSync.
    pub(crate) bare: bool,
    /// What the phone sends besides, or instead.
    pub(crate) extra: Value,
}

/// What a bill comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) lines: Amounts,
    pub(crate) sub_total: Decimal,
    pub(crate) total: Decimal,
    pub(crate) round_off: Decimal,
    pub(crate) grand: Decimal,
}

impl Bill {
    pub(crate) fn new(number: &str, lines: Vec<Line>) -> Self {
        Self {
            number: number.into(),
            date: "2026-11-21 00:00:00.000Z".into(),
            day: NaiveDate::from_ymd_opt(2026, 11, 21).unwrap(),
            tax_type: "GST",
            customer: None,
            other_state: false,
            lines,
            freight: Decimal::ZERO,
            discount: Decimal::ZERO,
            rounded: true,
            method: "cash",
            paid: None,
            payments: Vec::new(),
            notes: String::new(),
            bare: false,
            extra: json!({}),
        }
    }

    /// Two plain lines of products that every seeded shop has.
    pub(crate) fn plain(number: &str) -> Self {
        let lines = vec![
            Line::new("P-0001", "2", "45.50", "Exclusive", "18"),
            Line::new("P-0002", "1", "118", "Inclusive", "5"),
        ];
        Self::new(number, lines)
    }

    pub(crate) fn totals(&self) -> Totals {
        let mut sum = Amounts::default();
        for line in &self.lines {
            let amounts = line.amounts(self.other_state);
            sum.cgst += amounts.cgst;
            sum.sgst += amounts.sgst;
            sum.igst += amounts.igst;
            sum.cess += amounts.cess;
            sum.taxable += amounts.taxable;
        }
        let sub_total = sum.taxable + sum.taxes();
        let total = r2(sub_total + self.freight - self.discount);
        let round_off = if self.rounded { total.round_dp(0) - total } else { Decimal::ZERO };
        Totals { lines: sum, sub_total, total, round_off, grand: total + round_off }
    }

    /// RainTek's payment rows: mode and amount.
    pub(crate) fn payment_rows(&self) -> Vec<(&'static str, Decimal)> {
        let credit = "Credit Terms - 30 days";
        let text = |method: &str| match method {
            "cash" => "By Cash",
            "upi" | "gpay" => "Google Pay",
            "card" => "By Debit Card",
            "cheque" => "By Cheque",
            "phonepe" => "PhonePe",
            "paytm" => "Paytm",
            "wallet" => "E-Wallet",
            _ => credit,
        };
        let grand = self.totals().grand;
        let rows: Vec<(&'static str, Decimal)> = match self.method {
            "split" => self.payments.iter().map(|(mode, amount)| (text(mode), *amount)).collect(),
            "credit" => vec![(credit, grand)],
            method => {
                let paid = self.paid.unwrap_or(grand);
                vec![(text(method), paid), (credit, grand - paid)]
            }
        };
        if grand.is_zero() {
            // Where nothing is to be paid one row says so.
            return rows.into_iter().take(1).collect();
        }
        rows.into_iter().filter(|(_, amount)| !amount.is_zero()).collect()
    }

    /// The record of the invoice.
    pub(crate) fn head(&self, status: &str) -> Value {
        let totals = self.totals();
        let paid = match self.method {
            "credit" => Decimal::ZERO,
            "split" => {
                self.payments.iter().filter(|(mode, _)| *mode != "credit").map(|(_, amount)| amount).sum()
            }
            _ => self.paid.unwrap_or(totals.grand),
        };
        let given = |value: Decimal| if self.bare { json!(0) } else { json_number(value) };
        let mut head = json!({
            "invoice_number": self.number,
            "invoice_date": self.date,
            "status": status,
            "tax_type": self.tax_type,
            "customer": self.customer.clone().unwrap_or_default(),
            "item_count": self.lines.len(),
            "taxable_amount": given(totals.lines.taxable),
            "cgst": given(totals.lines.cgst),
            "sgst": given(totals.lines.sgst),
            "igst": given(totals.lines.igst),
            "cess": given(totals.lines.cess),
            "freight": json_number(self.freight),
            "discount": json_number(self.discount),
            "round_off": json_number(totals.round_off),
            "grand_total": json_number(totals.grand),
            "amount_paid": json_number(paid),
            "payment_method": self.method,
            "notes": self.notes,
        });
        for (name, value) in self.extra.as_object().unwrap() {
            head[name] = value.clone();
        }
        head
    }

    /// The records of its lines and payments: collection and content.
    pub(crate) fn parts(&self, invoice: &str) -> Vec<(&'static str, Value)> {
        let mut parts = Vec::new();
        for line in &self.lines {
            let amounts = line.amounts(self.other_state);
            let given = |value: Decimal| if self.bare { json!(0) } else { json_number(value) };
            let record = json!({
                "invoice": invoice,
                "product_code": line.code,
                "product_name": line.name,
                "barcode": line.barcode,
                "quantity": json_number(line.quantity),
                "unit": line.unit,
                "rate": json_number(line.rate),
                "mrp": json_number(line.mrp),
                "discount_percent": json_number(line.percent),
                "discount": given(amounts.discount),
                "tax_mode": line.mode,
                "gst_rate": json_number(line.gst),
                "cgst": given(amounts.cgst),
                "sgst": given(amounts.sgst),
                "igst": given(amounts.igst),
                "cess": given(amounts.cess),
                "taxable": given(amounts.taxable),
                "total": given(amounts.total),
            });
            parts.push(("invoice_items", record));
        }
        if self.method == "split" {
            for (mode, amount) in &self.payments {
                let record = json!({"invoice": invoice, "mode": mode, "amount": json_number(*amount), "paid_on": self.date});
                parts.push(("invoice_payments", record));
            }
        }
        parts
    }

    /// The head first, then one part after the other. Returns the record's id.
    pub(crate) async fn send(&self, shop: &Shop) -> String {
        self.send_as(&shop.phone().await, "completed").await
    }

    pub(crate) async fn send_as(&self, phone: &Caller, status: &str) -> String {
        let made = phone.make("invoices", self.head(status)).await;
        let id = made["id"].as_str().unwrap().to_owned();
        for (collection, record) in self.parts(&id) {
            phone.make(collection, record).await;
        }
        id
    }

    /// Everything in one transaction, or as few as PocketBase takes at a time.
    pub(crate) async fn send_batch(&self, shop: &Shop) -> String {
        let phone = shop.phone().await;
        let id: String = self.number.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let id = format!("{id:x<15}").chars().take(15).collect::<String>();
        let mut head = self.head("completed");
        head["id"] = json!(id);
        let mut all = vec![("invoices", head)];
        all.extend(self.parts(&id));
        for some in all.chunks(50) {
            let requests: Vec<Value> = some
                .iter()
                .map(|(collection, body)| {
                    json!({"method": "POST", "url": format!("/api/collections/{collection}/records"), "body": body})
                })
                .collect();
            phone.post("/api/batch", json!({ "requests": requests })).await;
        }
        id
    }
}
