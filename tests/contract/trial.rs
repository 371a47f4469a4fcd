//! What every side keeps when a trial ends, be it real or the simulation's picture of it.

use std::sync::Arc;

use async_trait::async_trait;

use shopsync::model::bill::NumberSeries;
use shopsync::model::ids::{CustomerId, InvId, RecordId};
use shopsync::model::invoice::{InvoiceRead, InvoiceStatus, NotDue, Stamp, TaxType};
use shopsync::model::trial::AppKind;
use shopsync::ports::trial::{TrialApp, TrialPos};

use super::billing::App;
use super::pos::Shop;

/// An app that a trial can be taken out of.
#[async_trait]
pub(crate) trait TrialSide: App {
    fn trial(&self) -> Arc<dyn TrialApp>;
}

/// A till whose trial can be taken back.
#[async_trait]
pub(crate) trait TrialShop: Shop {
    fn trial(&self) -> Arc<dyn TrialPos>;
}

/// The app's part, on one that was just set up.
pub(crate) async fn app_keeps_its_word(app: &dyn TrialSide) {
    let (billing, trial) = (app.billing(), app.trial());
    let (id, number) = app.bills(Some("T-0001-26")).await;
    let (stays, _) = app.bills(Some("T-0002-26")).await;
    billing.stamp(&id, &Stamp::Synced { inv_id: 7, customer: None }).await.expect("it stamps");
    app.sets_status(&stays, InvoiceStatus::Draft).await;
    let holds = trial.holds().await.expect("it tells");
    assert!(holds.laid_down, "ShopSync laid it down");
    assert_eq!(holds.invoices.len(), 2, "whatever their status");
    let of = |id: &RecordId| holds.invoices.iter().find(|invoice| invoice.id == *id).expect("it is there");
    assert_eq!((of(&id).number.as_str(), of(&id).inv_id), (number.as_str(), Some(7)));
    assert_eq!((of(&id).from_raintek, &of(&id).customer, of(&stays).inv_id), (false, &None, None));

    // Twice is once; what is not there has no stamp to take off.
    for _ in 0..2 {
        assert_eq!(trial.unstamp(AppKind::Invoice, &id).await, Ok(()));
        let InvoiceRead::Found(invoice) = billing.invoice(&id).await.expect("it reads") else {
            panic!("not found")
        };
        assert_eq!((invoice.stamped, invoice.pos_id), (false, None));
    }
    assert_eq!(trial.unstamp(AppKind::Invoice, &RecordId::new("nothere00000000")).await, Ok(()));
    for _ in 0..2 {
        assert_eq!(trial.remove_invoice(&id).await, Ok(()));
        assert_eq!(billing.invoice(&id).await, Ok(InvoiceRead::NotDue(NotDue::Deleted)));
    }
    assert_eq!(billing.invoice(&stays).await, Ok(InvoiceRead::NotDue(NotDue::Draft)), "no other goes");
    assert_eq!(trial.customers_in_use().await.map(|used| used.len()), Ok(0));
    assert_eq!(trial.remove_customer(&RecordId::new("nothere00000000")).await, Ok(()));

    // Down as well as up.
    let at = |value| {
        ["invoice_gst", "invoice_non_gst"].map(|name| NumberSeries {
            name,
            value,
            prefix: "GST".into(),
            suffix: "2026/27".into(),
        })
    };
    assert_eq!(billing.follow_numbers(&at(5)).await, Ok(true));
    for value in [60, 20] {
        assert_eq!(trial.set_numbers(&at(value)).await, Ok(true));
        assert_eq!(app.bills(None).await.1, format!("GST-{:04}-2026/27", value + 1));
    }
}

/// RainTek's part, on a shop that was just opened.
pub(crate) async fn pos_keeps_its_word(shop: &dyn TrialShop) {
    let trial = shop.trial();
    shop.pos().probe().await.expect("it answers");
    let (inv_id, number) = shop.till_bills().await;
    let there = async |number: &str, inv_id: InvId| {
        trial.stands(number, inv_id, TaxType::Gst).await.expect("it looks")
    };
    let bills = there(&number, -1).await;
    assert_eq!((bills.len(), bills[0].inv_id()), (1, inv_id));
    assert!(!bills[0].lines.is_empty() && !bills[0].payments.is_empty() && !bills[0].counter.is_empty());
    // By its Inv_ID it is found whatever number was meant.
    let others = there("GST-9999-2026/27", inv_id).await;
    assert_eq!(others.iter().map(|bill| bill.info.text("InvoiceNo")).collect::<Vec<_>>(), [number.as_str()]);
    assert_eq!(there("GST-9999-2026/27", -1).await, []);

    // A customer with a bill is known to have one; nobody is removed who is not as he was seen.
    let buyer = CustomerId::try_from(bills[0].info.int("Customer_ID")).expect("it has a customer");
    let seen = trial.customer(buyer).await.expect("it looks");
    assert!(seen.row.is_some());
    let of_bills = |uses: &[(String, u64)]| {
        uses.iter().find(|(table, _)| table == "InvoiceInfo").map_or(0, |(_, count)| *count)
    };
    assert!(of_bills(&seen.uses) >= 1, "{:?}", seen.uses);
    let (_, second) = shop.till_bills().await;
    let now = trial.customer(buyer).await.expect("it looks");
    assert_eq!(of_bills(&now.uses), of_bills(&seen.uses) + 1);
    assert_eq!(trial.remove_customer(buyer, &seen).await, Ok(false), "he bought something since");
    assert!(trial.customer(buyer).await.expect("it looks").row.is_some());
    shop.till_deletes(&second).await;
    assert_eq!(there(&second, -1).await, []);
    let nobody = trial.customer(999_999).await.expect("it looks");
    assert_eq!((nobody.row, nobody.uses.len()), (None, 0));
}
