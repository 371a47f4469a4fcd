//! What every `Billing` keeps, be it the app on PocketBase or the simulation's picture of it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use rust_decimal::Decimal;

use shopsync::model::awareness::{BillWrite, CustomerLink, PosInvoice};
use shopsync::model::bill::NumberSeries;
use shopsync::model::fault::FaultKind;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{
    Invoice, InvoiceRead, InvoiceStatus, Line, NotDue, PaymentKind, Stamp, TaxMode, TaxType, Taxes,
};
use shopsync::model::product::{ProductFields, ProductWrite};
use shopsync::model::renumber::{Renumber, Renumbered};
use shopsync::ports::{Billing, InvoiceScan};

/// An app with a phone.
#[async_trait]
pub(crate) trait App: Send + Sync {
    fn billing(&self) -> Arc<dyn Billing>;
    /// The phone completes an invoice of one line; with `None` the app gives the number. Its record and number.
    async fn bills(&self, number: Option<&str>) -> (RecordId, String);
    async fn sets_status(&self, id: &RecordId, status: InvoiceStatus);
    async fn deletes(&self, id: &RecordId);
}

fn unproven() -> InvoiceScan {
    InvoiceScan::Unproven { since: None }
}

async fn listed(app: &dyn Billing, scan: &InvoiceScan) -> Vec<RecordId> {
    let heads = app.list(scan).await.expect("it lists");
    heads.into_iter().map(|head| head.id).collect()
}

/// The whole suite, on an app that was just set up.
pub(crate) async fn keeps_its_word(app: &dyn App) {
    app.billing().probe().await.expect("it answers");
    an_invoice_is_listed_until_it_is_stamped(app).await;
    what_is_not_due_is_said(app).await;
    counters_only_go_up(app).await;
    what_is_gone_is_named(app).await;
    a_number_is_exchanged_once(app).await;
    products_are_made_once(app.billing().as_ref()).await;
    a_bill_of_the_till_is_one_bill(app.billing().as_ref()).await;
}

async fn an_invoice_is_listed_until_it_is_stamped(app: &dyn App) {
    let billing = app.billing();
    let (id, number) = app.bills(Some("C-0001-26")).await;
    assert_eq!(listed(billing.as_ref(), &unproven()).await, std::slice::from_ref(&id));
    let heads = billing.of_number(&number).await.expect("it lists");
    assert_eq!((heads.len(), &heads[0].id, heads[0].stamped), (1, &id, None));
    let InvoiceRead::Found(invoice) = billing.invoice(&id).await.expect("it reads") else {
        panic!("not found")
    };
    assert_eq!((invoice.number.as_str(), invoice.lines.len(), invoice.stamped), (number.as_str(), 1, false));

    billing.stamp(&id, &Stamp::Failed("Item is not in RainTek.".into())).await.expect("it stamps");
    assert_eq!(listed(billing.as_ref(), &unproven()).await, std::slice::from_ref(&id));
    billing.stamp(&id, &Stamp::Synced { inv_id: 7, customer: None }).await.expect("it stamps");
    assert_eq!(listed(billing.as_ref(), &unproven()).await, []);
    assert_eq!(listed(billing.as_ref(), &InvoiceScan::All).await, std::slice::from_ref(&id));
    let InvoiceRead::Found(invoice) = billing.invoice(&id).await.expect("it reads") else {
        panic!("not found")
    };
    assert_eq!((invoice.stamped, invoice.pos_id), (true, Some(7)));
    // Whatever was written since is shown again.
    let since = InvoiceScan::Unproven { since: Some(invoice.updated.clone()) };
    assert_eq!(listed(billing.as_ref(), &since).await, std::slice::from_ref(&id));
    let none = billing.stamp(&RecordId::new("nothere00000000"), &Stamp::Pending).await;
    assert_eq!(none.expect_err("there is no such invoice").kind, FaultKind::Data);
}

async fn what_is_not_due_is_said(app: &dyn App) {
    let billing = app.billing();
    let (id, number) = app.bills(Some("C-0002-26")).await;
    billing.stamp(&id, &Stamp::Synced { inv_id: 8, customer: None }).await.expect("it stamps");
    assert_eq!(billing.taken_back(None).await, Ok(Vec::new()));
    for (status, reason) in [
        (InvoiceStatus::Draft, NotDue::Draft),
        (InvoiceStatus::Revised, NotDue::Revised),
        (InvoiceStatus::Cancelled, NotDue::Cancelled),
    ] {
        app.sets_status(&id, status).await;
        assert_eq!(billing.invoice(&id).await, Ok(InvoiceRead::NotDue(reason)));
        assert!(!listed(billing.as_ref(), &InvoiceScan::All).await.contains(&id));
        assert_eq!(billing.of_number(&number).await, Ok(Vec::new()));
        let gone = billing.taken_back(None).await.expect("it lists");
        assert_eq!(gone.iter().map(|head| &head.id).collect::<Vec<_>>(), [&id]);
        let since = billing.taken_back(Some(&gone[0].updated)).await.expect("it lists");
        assert_eq!(since, gone);
        assert_eq!(billing.taken_back(Some("2100-01-01 00:00:00.000Z")).await, Ok(Vec::new()));
    }
    app.deletes(&id).await;
    assert_eq!(billing.invoice(&id).await, Ok(InvoiceRead::NotDue(NotDue::Deleted)));
    assert_eq!(billing.taken_back(None).await, Ok(Vec::new()));
}

async fn counters_only_go_up(app: &dyn App) {
    let billing = app.billing();
    let at = |value| {
        ["invoice_gst", "invoice_non_gst"].map(|name| NumberSeries {
            name,
            value,
            prefix: "GST".into(),
            suffix: "2026/27".into(),
        })
    };
    assert_eq!(billing.follow_numbers(&at(41)).await, Ok(true));
    assert_eq!(app.bills(None).await.1, "GST-0042-2026/27");
    assert_eq!(billing.follow_numbers(&at(40)).await, Ok(true));
    assert_eq!(app.bills(None).await.1, "GST-0043-2026/27");
    assert_eq!(billing.follow_numbers(&at(99)).await, Ok(true));
    assert_eq!(app.bills(None).await.1, "GST-0100-2026/27");
}

async fn what_is_gone_is_named(app: &dyn App) {
    let billing = app.billing();
    let (kept, gone) = (app.bills(None).await.0, app.bills(None).await.0);
    let never = RecordId::new("nothere00000000");
    assert_eq!(billing.missing(&[]).await, Ok(Vec::new()));
    assert_eq!(billing.missing(&[kept.clone(), gone.clone()]).await, Ok(Vec::new()));
    app.deletes(&gone).await;
    // Whatever became of it, a cancelled one is there.
    app.sets_status(&kept, InvoiceStatus::Cancelled).await;
    let mut missing = billing.missing(&[kept.clone(), gone.clone(), never.clone()]).await.expect("it looks");
    missing.sort();
    let mut wanted = vec![gone, never];
    wanted.sort();
    assert_eq!(missing, wanted);
    app.deletes(&kept).await;
}

async fn a_number_is_exchanged_once(app: &dyn App) {
    let billing = app.billing();
    let series =
        |value| NumberSeries { name: "invoice_gst", value, prefix: "GST".into(), suffix: "2026/27".into() };
    let (id, number) = app.bills(None).await;
    billing.stamp(&id, &Stamp::Failed("RainTek used the number.".into())).await.expect("it stamps");
    let wanted = Renumber { id: id.clone(), from: number.clone(), series: series(250) };
    let first = billing.renumber(&wanted).await.expect("it is exchanged");
    assert_eq!(first, Renumbered::Carries("GST-0251-2026/27".into()));
    // Its answer may have been lost: the second time it keeps what it got.
    assert_eq!(billing.renumber(&wanted).await, Ok(first));
    let InvoiceRead::Found(invoice) = billing.invoice(&id).await.expect("it reads") else {
        panic!("not found")
    };
    assert_eq!(
        (invoice.number.as_str(), invoice.lines.len(), invoice.stamped),
        ("GST-0251-2026/27", 1, false)
    );
    assert_eq!(billing.of_number(&number).await, Ok(Vec::new()));
    assert!(listed(billing.as_ref(), &unproven()).await.contains(&id));
    // A number of RainTek's that is lower than the app's own counter gives none that the app has.
    let again = Renumber { from: "GST-0251-2026/27".into(), series: series(10), ..wanted.clone() };
    assert_eq!(billing.renumber(&again).await, Ok(Renumbered::Carries("GST-0252-2026/27".into())));
    assert_eq!(app.bills(None).await.1, "GST-0253-2026/27");
    app.sets_status(&id, InvoiceStatus::Cancelled).await;
    let late = Renumber { from: "GST-0252-2026/27".into(), ..wanted };
    assert_eq!(billing.renumber(&late).await, Ok(Renumbered::NotDue));
    app.deletes(&id).await;
}

async fn products_are_made_once(billing: &dyn Billing) {
    let fields = ProductFields {
        code: "C-77".into(),
        pos_id: "77".into(),
        name: "Rice".into(),
        retail_price: Decimal::new(4550, 2),
        mrp: Decimal::new(5000, 2),
        barcode: "8900000000077".into(),
        current_stock: Decimal::new(12_500, 3),
        hsn_code: "1006".into(),
        gst_rate: Decimal::from(5),
        unit: "KG".into(),
        active: true,
    };
    let id = RecordId::new("product00000077");
    let create = ProductWrite::Create { id: id.clone(), fields: fields.clone() };
    // Its answer may have been lost: the second time it is the same product.
    for _ in 0..2 {
        assert_eq!(billing.write_products(std::slice::from_ref(&create)).await, Ok(vec![Ok(())]));
    }
    let mine = async || {
        let all = billing.products().await.expect("it lists");
        let mine: Vec<_> = all.into_iter().filter(|one| one.code == "C-77").collect();
        assert_eq!(mine.len(), 1);
        mine[0].clone()
    };
    assert_eq!(mine().await.fields, Some(fields.clone()));
    let dearer = ProductFields { retail_price: Decimal::new(4600, 2), ..fields.clone() };
    let writes = [
        ProductWrite::Update { id: id.clone(), fields: dearer.clone() },
        ProductWrite::Deactivate { id: id.clone() },
    ];
    for write in writes {
        assert_eq!(billing.write_products(&[write]).await, Ok(vec![Ok(())]));
    }
    let there = mine().await;
    assert_eq!((there.active, there.fields), (false, Some(ProductFields { active: false, ..dearer })));
    // Another product of the code is refused, and named.
    let other = ProductWrite::Create { id: RecordId::new("product00000078"), fields };
    let refused = billing.write_products(&[other]).await.expect("it answers");
    assert_eq!(refused[0].as_ref().expect_err("the code is taken").kind, FaultKind::Data);
}

fn till_bill(lines: usize) -> PosInvoice {
    let each = Decimal::new(110, 2);
    let total = each * Decimal::from(lines);
    let line = |at: usize| Line {
        id: RecordId::new(format!("tillline{at:07}")),
        product_code: format!("P-{at}"),
        product_name: "Pen".into(),
        hsn_code: String::new(),
        barcode: String::new(),
        quantity: Decimal::ONE,
        unit: "PCS".into(),
        rate: each,
        mrp: each,
        discount_percent: Decimal::ZERO,
        discount: Decimal::ZERO,
        tax_mode: TaxMode::NoTaxes,
        gst_rate: Decimal::ZERO,
        taxes: Taxes::default(),
        taxable: each,
        total: each,
    };
    PosInvoice {
        products: vec![1; lines],
        paid_on: Vec::new(),
        payment_ids: Vec::new(),
        invoice: Invoice {
            id: RecordId::new("tillbill0000001"),
            number: "SINV-0900-2026/27".into(),
            date: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day"),
            status: InvoiceStatus::Completed,
            tax_type: TaxType::NonGst,
            customer: None,
            item_count: u32::try_from(lines).ok(),
            taxable: total,
            taxes: Taxes::default(),
            freight: Decimal::ZERO,
            discount: Decimal::ZERO,
            round_off: Decimal::ZERO,
            grand_total: total,
            amount_paid: total,
            payment_method: PaymentKind("cash".into()),
            notes: String::new(),
            pos_id: Some(900),
            stamped: false,
            updated: String::new(),
            lines: (0..lines).map(line).collect(),
            payments: Vec::new(),
        },
    }
}

async fn a_bill_of_the_till_is_one_bill(billing: &dyn Billing) {
    let before = listed(billing, &InvoiceScan::All).await;
    for lines in [3, 3, 2] {
        let bill = till_bill(lines);
        let id = bill.invoice.id.clone();
        let write = BillWrite::Put {
            bill: Box::new(bill),
            customer: CustomerLink::None,
            products: vec![None; lines],
        };
        assert_eq!(billing.write_bill(&write).await, Ok(()));
        assert_eq!(billing.invoice(&id).await, Ok(InvoiceRead::NotDue(NotDue::FromPos)));
    }
    assert_eq!(listed(billing, &InvoiceScan::All).await, before, "it is never to be pushed");
    let id = till_bill(1).invoice.id;
    for _ in 0..2 {
        assert_eq!(billing.write_bill(&BillWrite::Cancel { id: id.clone() }).await, Ok(()));
    }
    let never = BillWrite::Cancel { id: RecordId::new("neverthere00000") };
    assert_eq!(billing.write_bill(&never).await, Ok(()), "what is not there is cancelled enough");
    assert_eq!(billing.taken_back(None).await, Ok(Vec::new()), "RainTek's own are not taken back");
}
