//! The plan against a RainTek of rows in memory: whatever stands there, a plan is made; once it is carried out nothing more is
//! to be done, and no row of another bill has changed.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::model::bill::{Former, Marks};
use crate::model::invoice::{Invoice, Line, PaymentKind, TaxMode, Taxes};
use crate::model::money::r2;
use crate::sync::arithmetic::filled;
use crate::sync::fixtures::{context, found, invoice, schema};
use crate::sync::mapping::desired_bill;

/// RainTek's rows.
#[derive(Debug, Clone, Default, PartialEq)]
struct Tables {
    bills: Vec<FoundBill>,
    /// `SaleGST`.
    counter: Vec<Row>,
    /// IDs of customers beside the walk-in one.
    customers: Vec<i32>,
}

fn number_of(bill: &FoundBill) -> &str {
    bill.info.text("InvoiceNo").trim()
}

impl Tables {
    fn counters(&self, number: &str) -> Vec<Row> {
        self.counter.iter().filter(|row| row.text("InvNo").trim() == number).cloned().collect()
    }

    /// As the adapter looks it up: all bills of the number and the known one, one of them with all its rows.
    fn found(&self, number: &str, known: Option<i32>, customer: Option<i32>) -> Found {
        let of_number =
            self.bills.iter().filter(|bill| number_of(bill) == number).map(FoundBill::inv_id).min();
        let whole = of_number.or(known);
        let mut bills: Vec<FoundBill> = self
            .bills
            .iter()
            .filter(|bill| number_of(bill) == number || Some(bill.inv_id()) == known)
            .map(|bill| match Some(bill.inv_id()) == whole {
                true => FoundBill { counter: self.counters(number), ..bill.clone() },
                false => FoundBill { info: bill.info.clone(), ..FoundBill::default() },
            })
            .collect();
        bills.sort_by_key(FoundBill::inv_id);
        let former =
            bills.iter().find(|bill| Some(bill.inv_id()) == known && number_of(bill) != number).map(|bill| {
                Former {
                    counter: self.counters(number_of(bill)),
                    shared: self
                        .bills
                        .iter()
                        .any(|other| other.inv_id() != bill.inv_id() && number_of(other) == number_of(bill)),
                }
            });
        let highest = |rows: &mut dyn Iterator<Item = i64>| i32::try_from(rows.max().unwrap_or(0)).unwrap();
        let own = counter_of(number).map(i64::from);
        Found {
            bills,
            customer,
            known,
            former,
            marks: Marks {
                inv_id: highest(&mut self.bills.iter().map(|bill| bill.inv_id().into())),
                customer_id: self.customers.iter().copied().max().unwrap_or(1),
                counter: highest(&mut self.counter.iter().map(|row| row.int("ID"))),
                counter_taken: own.is_none_or(|own| self.counter.iter().any(|row| row.int("ID") == own)),
                counter_has_number: !self.counters(number).is_empty(),
                ..Marks::default()
            },
            ..found()
        }
    }

    /// Carries a plan out, as the adapter's statements do.
    fn apply(&mut self, plan: &Plan) {
        match plan {
            Plan::Insert(plan) => {
                self.customers.extend(plan.new_customer.iter().map(|_| plan.customer_id));
                self.counter.extend(plan.counter_row.clone());
                self.bills.push(FoundBill {
                    info: plan.info.clone(),
                    lines: plan.lines.clone(),
                    payments: plan.payments.clone(),
                    ..FoundBill::default()
                });
            }
            Plan::Replace(plan) => {
                self.customers.extend(plan.new_customer.iter().map(|_| plan.customer_id));
                self.counter.retain(|row| !plan.counter_ids.contains(&row.int("ID")));
                self.counter.extend(plan.counter_row.clone());
                let bill = self.bills.iter_mut().find(|bill| bill.inv_id() == plan.inv_id).unwrap();
                bill.info.0.extend(plan.info.0.clone());
                if let Some(lines) = &plan.lines {
                    bill.lines.clone_from(lines);
                }
                if let Some(change) = &plan.payments {
                    bill.payments.retain(|row| !change.delete.contains(&row.int("IP_ID")));
                    for (id, row) in &change.update {
                        let there = bill.payments.iter_mut().find(|there| there.int("IP_ID") == *id).unwrap();
                        there.0.extend(row.0.clone());
                    }
                    bill.payments.extend(change.insert.clone());
                }
            }
            Plan::Nothing { .. } | Plan::Conflict(_) => return,
            Plan::Remove(_) => panic!("nobody asked for that"),
        }
        self.number_payments();
    }

    /// An IDENTITY numbers rows across all bills, whoever writes them.
    fn number_payments(&mut self) {
        let payments = self.bills.iter_mut().flat_map(|bill| bill.payments.iter_mut());
        for (row, id) in payments.zip(1_i64..) {
            row.0.insert("IP_ID".into(), Value::Int(id));
        }
    }
}

const NUMBERS: [&str; 4] = ["GST-0151-2025/26", "GST-0152-2025/26", "X/7", "gst-9-'\u{1F600}"];

prop_compose! {
    fn any_line()(
        quantity in 1_i64..50_000, rate in 0_i64..2_000_000, percent in prop_oneof![3 => Just(0_i64), 1 => 0_i64..10_000],
        gst in prop::sample::select(vec![0_i64, 5, 12, 18, 28]), mode in 0_usize..4, unit in "[A-Z ]{0,4}",
    ) -> Line {
        let mode = [TaxMode::Exclusive, TaxMode::Inclusive, TaxMode::ExemptGst, TaxMode::NoTaxes][mode];
        let line = Line {
            quantity: Decimal::new(quantity, 3), rate: Decimal::new(rate, 2), discount_percent: Decimal::new(percent, 2),
            discount: Decimal::ZERO, taxes: Taxes::default(), taxable: Decimal::ZERO, total: Decimal::ZERO, unit,
            gst_rate: Decimal::from(gst), tax_mode: mode, ..invoice().lines.remove(0)
        };
        filled(&line, TaxType::Gst, false)
    }
}

prop_compose! {
    fn any_invoice()(
        lines in prop::collection::vec(any_line(), 1..5), number in prop::sample::select(&NUMBERS[..]),
        freight in 0_i64..5_000, method in prop::sample::select(vec!["cash", "upi", "credit", "card"]),
        paid in 0_i64..100, notes in "\\PC{0,20}", rounds: bool,
    ) -> Invoice {
        let freight = Decimal::new(freight, 2);
        let exact: Decimal = lines.iter().map(|line| line.total).sum::<Decimal>() + freight;
        let grand_total = if rounds { exact.round() } else { exact };
        let taxes = lines.iter().fold(Taxes::default(), |all, line| all.plus(&line.taxes));
        Invoice {
            number: number.to_owned(), freight, grand_total, taxes,
            // What inclusive lines lose to rounding is in the round-off of a bill that says its taxable value itself.
            taxable: exact - freight - taxes.sum(),
            round_off: grand_total - exact, amount_paid: r2(grand_total * Decimal::new(paid, 2)),
            payment_method: PaymentKind(method.into()), notes, item_count: None, lines, ..invoice()
        }
    }
}

/// What else happens to a bill in RainTek.
#[derive(Debug, Clone)]
enum Edit {
    Column(&'static str, Value),
    Number(usize),
    NoLines,
    TwicePaid,
    NotPaid,
    NotCounted,
    Doubled,
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let column = prop::sample::select(vec![
        "Remarks",
        "TillID",
        "GrandTotal",
        "InvoiceDate",
        "Customer_ID",
        "Operator",
    ]);
    let value = prop_oneof![
        Just(Value::Null),
        Just(Value::Text("COUNTER-1".into())),
        Just(Value::Int(7)),
        Just(Value::Dec(Decimal::new(12_345, 2))),
    ];
    prop_oneof![
        4 => (column, value).prop_map(|(column, value)| Edit::Column(column, value)),
        2 => (0..NUMBERS.len()).prop_map(Edit::Number),
        1 => Just(Edit::NoLines),
        1 => Just(Edit::TwicePaid),
        1 => Just(Edit::NotPaid),
        1 => Just(Edit::NotCounted),
        1 => Just(Edit::Doubled),
    ]
}

fn edit(tables: &mut Tables, at: usize, edit: &Edit) {
    if tables.bills.is_empty() {
        return;
    }
    let at = at % tables.bills.len();
    let next = tables.bills.iter().map(FoundBill::inv_id).max().unwrap_or(0) + 1;
    let number = number_of(&tables.bills[at]).to_owned();
    let bill = &mut tables.bills[at];
    match edit {
        Edit::Column(column, value) => drop(bill.info.0.insert((*column).to_owned(), value.clone())),
        Edit::Number(to) => drop(bill.info.0.insert("InvoiceNo".into(), Value::Text(NUMBERS[*to].into()))),
        Edit::NoLines => bill.lines.clear(),
        Edit::NotPaid => bill.payments.clear(),
        Edit::TwicePaid => {
            let again = bill.payments.clone();
            for (mut row, id) in again.into_iter().zip(900_i64..) {
                row.0.insert("IP_ID".into(), Value::Int(id));
                bill.payments.push(row);
            }
        }
        Edit::NotCounted => tables.counter.retain(|row| row.text("InvNo") != number),
        Edit::Doubled => {
            let mut other = bill.clone();
            other.info.0.insert("Inv_ID".into(), Value::Int(next.into()));
            tables.bills.push(other);
        }
    }
    tables.number_payments();
}

fn desired(invoice: &Invoice, found: &Found) -> Desired {
    desired_bill(invoice, found, &schema(), &context()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_plan_is_always_made_and_carried_out_it_leaves_nothing(
        earlier in prop::collection::vec(any_invoice(), 0..4), edits in prop::collection::vec((0_usize..8, any_edit()), 0..5),
        wanted in any_invoice(), known in prop::option::of(1_i32..6), is_new: bool,
    ) {
        let mut tables = Tables::default();
        for one in &earlier {
            let found = tables.found(&one.number, None, Some(1));
            tables.apply(&plan(&desired(one, &found), &found));
        }
        for (at, one) in &edits {
            edit(&mut tables, *at, one);
        }
        let before = tables.clone();
        let customer = (!is_new).then_some(1);
        let found = tables.found(&wanted.number, known, customer);
        let first = plan(&desired(&wanted, &found), &found);
        tables.apply(&first);

        // The customer that was made is found by now, and the Inv_ID is known.
        let (inv_id, customer) = match &first {
            Plan::Insert(plan) => (plan.inv_id, Some(plan.customer_id)),
            Plan::Replace(plan) => (plan.inv_id, Some(plan.customer_id)),
            Plan::Nothing { inv_id, customer_id } => (*inv_id, Some(*customer_id)),
            Plan::Conflict(_) => {
                prop_assert_eq!(&tables, &before, "a conflict writes nothing");
                prop_assert_eq!(plan(&desired(&wanted, &found), &found), first, "and stays one");
                return Ok(());
            }
            Plan::Remove(_) => return Err(TestCaseError::fail("nobody asked for that")),
        };
        for known in [Some(inv_id), known] {
            // Another Inv_ID that is believed to be ours, and is, is a person's to judge.
            let found = tables.found(&wanted.number, known, customer);
            let second = plan(&desired(&wanted, &found), &found);
            let nothing = Plan::Nothing { inv_id, customer_id: customer.unwrap() };
            prop_assert!(second == nothing || known != Some(inv_id), "{:?}\nafter {:?}", second, first);
            prop_assert!(!matches!(second, Plan::Insert(_)), "it would be booked twice");
        }
        // No row of another bill has changed, and each number keeps what counts it.
        for bill in before.bills.iter().filter(|bill| bill.inv_id() != inv_id) {
            let after = tables.bills.iter().find(|after| after.inv_id() == bill.inv_id()).unwrap();
            prop_assert_eq!((&bill.info, &bill.lines), (&after.info, &after.lines));
            prop_assert_eq!(bill.payments.len(), after.payments.len());
            prop_assert!(
                tables.counters(number_of(bill)).len() >= before.counters(number_of(bill)).len().min(1),
                "another bill's counter row went"
            );
        }
        prop_assert!(!tables.counters(&wanted.number).is_empty());
    }

    /// What the bill says is what its rows say, to the paisa: nothing is lost on the way to a decimal, to JSON and to a float,
    /// which is how PocketBase keeps it.
    #[test]
    fn money_never_moves_by_rounding(one in any_invoice()) {
        let desired = desired(&one, &found());
        let sum = |rows: &[Row], column: &str| rows.iter().map(|row| row.decimal(column)).sum::<Decimal>();
        let info = |column: &str| desired.info.decimal(column);
        prop_assert_eq!(sum(&desired.payments, "TotalPaid"), one.grand_total);
        prop_assert_eq!(info("TotalPaid") + info("Balance"), one.grand_total);
        prop_assert_eq!(sum(&desired.lines, "TotalAmount") + one.freight + one.round_off, one.grand_total);
        prop_assert_eq!(info("Total") + info("RoundOff"), one.grand_total);
        for (column, tax) in [("CGST", one.taxes.cgst), ("SGST", one.taxes.sgst), ("IGST", one.taxes.igst)] {
            prop_assert_eq!(sum(&desired.lines, &format!("{column}Amt")), tax);
            prop_assert_eq!(info(column), tax);
        }
        let lines = desired.lines.iter().chain(&desired.payments).chain([&desired.info]);
        for value in lines.flat_map(|row| row.0.values()) {
            let Value::Dec(value) = value else { continue };
            let text = value.to_string();
            prop_assert_eq!(text.parse::<Decimal>().unwrap(), *value);
            let float: f64 = text.parse().unwrap();
            let scale = value.normalize().scale().max(2);
            prop_assert_eq!(crate::model::money::exact(&float.to_string(), scale).unwrap(), *value);
            let json = serde_json::to_string(&Value::Dec(*value)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), Value::Dec(*value));
        }
    }
}
