use super::*;
use crate::model::posting::{Books, DesiredPostings};
use crate::sync::fixtures::{context, decimal, found, invoice, schema};
use crate::sync::mapping::{MapContext, desired_bill};
use crate::sync::plan::{plan, plan_removal};
use proptest::prelude::*;

const NUMBER: &str = "GST-0151-2025/26";

fn set(stock: bool, ledgers: bool) -> PostingSettings {
    PostingSettings { stock, ledgers }
}

/// RainTek as far as postings go: one bill, the books, and live stock.
#[derive(Debug, Clone, Default, PartialEq)]
struct Shop {
    bill: Option<FoundBill>,
    books: Books,
    stock: BTreeMap<(i32, String), Decimal>,
    next_id: i64,
}

impl Shop {
    fn found(&self) -> Found {
        let mut found = found();
        found.bills = self.bill.clone().into_iter().collect();
        if let Some(bill) = found.bills.first_mut() {
            bill.postings = self.books.clone();
        } else {
            found.postings.stray = self.books.clone();
        }
        found
    }

    fn book(&mut self, change: &PostingChange) {
        for (book, ids) in &change.delete {
            let rows = self.books.0.get_mut(book).unwrap();
            let before = rows.len();
            rows.retain(|row| !ids.contains(&row.int("ID")));
            assert_eq!(before - rows.len(), ids.len(), "only what stands there is deleted");
        }
        for (book, rows) in &change.insert.0 {
            for row in rows {
                let mut row = row.clone();
                self.next_id += 1;
                row.0.insert("ID".into(), Value::Int(self.next_id));
                self.books.0.entry(*book).or_default().push(row);
            }
        }
        self.books.0.retain(|_, rows| !rows.is_empty());
        for moved in &change.stock {
            *self.stock.entry((moved.pid, moved.barcode.clone())).or_default() += moved.quantity;
        }
        self.stock.retain(|_, quantity| !quantity.is_zero());
    }

    /// Brings the shop to what is desired, and proves it as the engine does.
    fn send(&mut self, make: impl Fn(&Found) -> Desired) -> Plan {
        let found = self.found();
        let desired = make(&found);
        let first = plan(&desired, &found);
        match &first {
            Plan::Insert(plan) => {
                self.bill = Some(FoundBill {
                    info: plan.info.clone(),
                    lines: plan.lines.clone(),
                    payments: plan.payments.clone(),
                    counter: plan.counter_row.clone().into_iter().collect(),
                    ..FoundBill::default()
                });
                self.book(&plan.postings);
            }
            Plan::Replace(plan) => {
                let bill = self.bill.as_mut().unwrap();
                bill.info.0.extend(plan.info.0.clone());
                if let Some(lines) = &plan.lines {
                    bill.lines.clone_from(lines);
                }
                if let Some(change) = &plan.payments {
                    bill.payments = change.update.iter().map(|(_, row)| row.clone()).collect();
                    bill.payments.extend(change.insert.clone());
                }
                self.book(&plan.postings);
            }
            Plan::Nothing { .. } => {}
            other => panic!("{other:?}"),
        }
        let proof = as_written(desired.clone(), &first);
        for desired in [proof, desired, make(&self.found())] {
            let again = plan(&desired, &self.found());
            assert!(matches!(again, Plan::Nothing { .. }), "{again:?}");
        }
        first
    }

    fn remove(&mut self) {
        let Some(Plan::Remove(plan)) =
            plan_removal(NUMBER, crate::model::invoice::TaxType::Gst, &self.found())
        else {
            panic!("nothing to remove")
        };
        self.bill = None;
        self.book(&plan.postings);
    }

    fn kinds(&self) -> PostingSettings {
        self.books.kinds()
    }
}

/// A bill of lines (quantity in thousandths, barcode), paid in a way.
fn bill(lines: &[(i64, u8)], method: &str, posting: PostingSettings) -> impl Fn(&Found) -> Desired + use<> {
    let mut bill = invoice();
    let one = bill.lines[0].clone();
    bill.lines = lines
        .iter()
        .map(|(quantity, barcode)| {
            let mut line = one.clone();
            line.quantity = Decimal::new(*quantity, 3);
            line.barcode = format!("890{barcode}");
            line.discount_percent = decimal("0");
            line.discount = decimal("0");
            line.taxes = Default::default();
            line.taxable = decimal("0");
            line.total = decimal("0");
            crate::sync::arithmetic::filled(&line, bill.tax_type, false)
        })
        .collect();
    bill.grand_total = bill.lines.iter().map(|line| line.total).sum();
    bill.amount_paid = bill.grand_total;
    bill.round_off = decimal("0");
    bill.taxable = decimal("0");
    bill.taxes = Default::default();
    bill.item_count = u32::try_from(bill.lines.len()).ok();
    bill.payment_method = crate::model::invoice::PaymentKind(method.into());
    move |found| {
        let context = MapContext { posting, ..context() };
        desired_bill(&bill, found, &schema(), &context).unwrap()
    }
}

fn left(shop: &Shop, barcode: &str) -> Decimal {
    shop.stock.get(&(11, barcode.to_owned())).copied().unwrap_or_default()
}

#[test]
fn a_new_bill_is_posted_and_a_removed_one_leaves_nothing() {
    let mut shop = Shop::default();
    shop.send(bill(&[(2000, 1), (500, 1), (1000, 2)], "upi", PostingSettings::ALL));
    assert_eq!((left(&shop, "8901"), left(&shop, "8902")), (decimal("-2.5"), decimal("-1")));
    let count = |book| shop.books.rows(book).len();
    assert_eq!(Book::ALL.map(count), [2, 2, 1, 3]);
    shop.remove();
    assert_eq!(shop, Shop { next_id: shop.next_id, ..Shop::default() });
}

#[test]
fn only_the_difference_moves_when_lines_change_and_none_when_they_stay() {
    let mut shop = Shop::default();
    shop.send(bill(&[(2000, 1), (1000, 2)], "cash", PostingSettings::ALL));
    let Plan::Replace(first) = shop.send(bill(&[(5000, 1), (1000, 2)], "cash", PostingSettings::ALL)) else {
        panic!()
    };
    let moved = StockChange { pid: 11, barcode: "8901".into(), quantity: decimal("-3") };
    assert_eq!(first.postings.stock, [moved]);
    // Paid otherwise: ledgers follow, stock and its movements are left alone.
    let Plan::Replace(second) = shop.send(bill(&[(5000, 1), (1000, 2)], "card", PostingSettings::ALL)) else {
        panic!()
    };
    assert!(second.postings.stock.is_empty() && second.postings.products.is_empty());
    assert_eq!(second.postings.insert.rows(Book::StockMovement), []);
    assert_eq!(shop.books.rows(Book::BankAccountLedger).len(), 1);
    shop.send(bill(&[(5000, 1), (1000, 2)], "cash", PostingSettings::ALL));
    assert_eq!(shop.books.rows(Book::BankAccountLedger), []);
    assert_eq!(shop.books.rows(Book::LedgerBook).len(), 2);
}

#[test]
fn switched_on_later_a_bill_is_posted_when_it_is_next_written() {
    let mut shop = Shop::default();
    shop.send(bill(&[(2000, 1)], "cash", PostingSettings::default()));
    let seen = shop.send(bill(&[(2000, 1)], "cash", PostingSettings::ALL));
    assert!(matches!(seen, Plan::Nothing { .. }), "{seen:?}");
    // Only the payment changes: the stock, which was never lowered, stays so.
    shop.send(bill(&[(2000, 1)], "card", PostingSettings::ALL));
    assert_eq!((shop.kinds(), left(&shop, "8901")), (set(false, true), decimal("0")));
    // The lines change: all of the new ones go out, none of the old ones come back.
    shop.send(bill(&[(3000, 1)], "card", PostingSettings::ALL));
    assert_eq!((shop.kinds(), left(&shop, "8901")), (set(true, true), decimal("-3")));
}

#[test]
fn switched_off_later_a_posted_bill_stays_posted() {
    let mut shop = Shop::default();
    let off = PostingSettings::default();
    shop.send(bill(&[(2000, 1)], "cash", PostingSettings::ALL));
    shop.send(bill(&[(7000, 1)], "cash", off));
    assert_eq!((shop.kinds(), left(&shop, "8901")), (PostingSettings::ALL, decimal("-7")));
    let total = shop.bill.as_ref().unwrap().info.decimal("GrandTotal");
    assert_eq!(shop.books.rows(Book::LedgerBook)[0].decimal("Debit"), total);
    shop.remove();
    assert!(shop.stock.is_empty() && shop.books.is_empty());
}

#[test]
fn rows_of_the_number_that_belong_to_no_bill_are_not_doubled() {
    let mut shop = Shop::default();
    shop.send(bill(&[(2000, 1)], "cash", PostingSettings::ALL));
    shop.bill = None;
    let found = shop.found();
    let desired = bill(&[(2000, 1)], "cash", PostingSettings::ALL)(&found);
    let tables = ["LedgerBook", "CustomerLedgerBook", "StockMovement"].map(str::to_owned).to_vec();
    assert_eq!(plan(&desired, &found), Plan::Conflict(Conflict::PostingsTaken { tables }));
    let unasked = bill(&[(2000, 1)], "cash", PostingSettings::default())(&found);
    assert!(matches!(plan(&unasked, &found), Plan::Insert(_)));
}

#[test]
fn a_doubled_missing_or_changed_row_is_seen() {
    let mut shop = Shop::default();
    let make = bill(&[(2000, 1)], "upi", PostingSettings::ALL);
    let first = shop.send(&make);
    let right = shop.found();
    let before = make(&found());
    let proof = as_written(before, &first);
    for book in Book::ALL {
        for column in proof.postings.books.rows(book)[0].0.keys() {
            let mut wrong = right.clone();
            let rows = wrong.bills[0].postings.0.get_mut(&book).unwrap();
            rows[0].0.insert(column.clone(), Value::Null);
            assert!(matches!(plan(&proof, &wrong), Plan::Replace(_)), "{book:?}.{column}");
        }
        let mut doubled = right.clone();
        let rows = doubled.bills[0].postings.0.get_mut(&book).unwrap();
        rows.push(rows[0].clone());
        assert!(matches!(plan(&proof, &doubled), Plan::Replace(_)), "{book:?} doubled");
    }
    let mut gone = right.clone();
    gone.bills[0].postings = Books::default();
    assert!(matches!(plan(&proof, &gone), Plan::Replace(_)), "after a write nothing may be missing");
    assert!(matches!(plan(&make(&gone), &gone), Plan::Nothing { .. }), "booked before it was asked for");
}

#[test]
fn a_new_customer_is_named_by_the_number_that_the_plan_gives() {
    let nobody = Found { customer: None, ..found() };
    let desired = bill(&[(1000, 1)], "cash", PostingSettings::ALL)(&nobody);
    let first = plan(&desired, &nobody);
    let Plan::Insert(insert) = &first else { panic!("{first:?}") };
    for book in [Book::LedgerBook, Book::CustomerLedgerBook] {
        assert!(insert.postings.insert.rows(book).iter().all(|row| row.text("PartyID") == "C-0010"));
    }
    let proof = as_written(desired, &first);
    assert_eq!(proof.postings.books.rows(Book::LedgerBook)[1].text("PartyID"), "C-0010");
    assert_eq!(proof.postings.written, PostingSettings::ALL);
}

#[test]
fn plain_ids_follow_the_highest() {
    let mut found = found();
    found.postings.marks.insert(Book::LedgerBook, 40);
    let Plan::Insert(insert) = plan(&bill(&[(1000, 1)], "cash", PostingSettings::ALL)(&found), &found) else {
        panic!()
    };
    let ids: Vec<i64> =
        insert.postings.insert.rows(Book::LedgerBook).iter().map(|row| row.int("ID")).collect();
    assert_eq!(ids, [41, 42]);
}

#[test]
fn without_settings_a_plan_has_no_postings() {
    let Plan::Insert(insert) = plan(&bill(&[(1000, 1)], "cash", set(false, false))(&found()), &found())
    else {
        panic!()
    };
    assert_eq!(insert.postings, PostingChange::default());
    assert_eq!(bill(&[(1000, 1)], "cash", set(false, false))(&found()).postings, DesiredPostings::default());
}

fn lines() -> impl Strategy<Value = Vec<(i64, u8)>> {
    proptest::collection::vec((1_i64..50_000, 0_u8..3), 1..6)
}

#[test]
fn after_a_change_of_its_lines_a_bill_is_not_proven_without_its_postings() {
    let mut shop = Shop::default();
    shop.send(bill(&[(2000, 1)], "cash", PostingSettings::default()));
    let make = bill(&[(3000, 1)], "cash", PostingSettings::ALL);
    let before = make(&shop.found());
    let change = shop.send(&make);
    assert!(matches!(change, Plan::Replace(_)), "{change:?}");
    let proof = as_written(before, &change);
    assert_eq!(proof.postings.written, PostingSettings::ALL);
    let mut lost = shop.found();
    lost.bills[0].postings = Books::default();
    assert!(matches!(plan(&proof, &lost), Plan::Replace(_)), "the entries did not come to stand there");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a bill goes through, and whatever is switched meanwhile: a removed one leaves stock and books as they
    /// began, and while it stands the books hold it once and the stock is lower by just its lines, or not at all.
    #[test]
    fn stock_and_books_end_where_they_began(
        steps in proptest::collection::vec((lines(), 0_usize..3, any::<bool>(), any::<bool>()), 1..6),
    ) {
        let mut shop = Shop::default();
        for (lines, method, stock, ledgers) in &steps {
            let earlier = shop.kinds();
            shop.send(bill(lines, ["cash", "upi", "credit"][*method], set(*stock, *ledgers)));
            let kinds = shop.kinds();
            prop_assert!(kinds.or(earlier) == kinds, "a posted bill stays posted");
            let written = shop.bill.clone().unwrap();
            let sold: Decimal = written.lines.iter().map(|line| line.decimal("Qty")).sum();
            let moved: Decimal = shop.stock.values().copied().sum();
            let movements: Decimal =
                shop.books.rows(Book::StockMovement).iter().map(|row| row.decimal("StockOut")).sum();
            prop_assert_eq!(moved, if kinds.stock { -sold } else { Decimal::ZERO });
            prop_assert_eq!(movements, -moved);
            for book in [Book::LedgerBook, Book::CustomerLedgerBook] {
                let debit: Decimal = shop.books.rows(book).iter().map(|row| row.decimal("Debit")).sum();
                let credit: Decimal = shop.books.rows(book).iter().map(|row| row.decimal("Credit")).sum();
                let owed = if kinds.ledgers { written.info.decimal("Balance") } else { Decimal::ZERO };
                prop_assert_eq!(debit - credit, owed);
            }
        }
        shop.remove();
        prop_assert!(shop.stock.is_empty() && shop.books.is_empty(), "{:?}", shop);
    }
}
