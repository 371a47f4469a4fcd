//! Writing a bill of RainTek's own into the app, and cancelling it there.

use chrono::NaiveDate;

use super::Pass;
use crate::model::awareness::{BillState, BillWrite, KnownBill};
use crate::model::bill::FoundBill;
use crate::model::fault::{Fault, FaultKind};
use crate::sync::awareness::{key, pos_invoice, record_id};

impl Pass<'_> {
    /// Shows the bill as it stands now, or says why not.
    pub(super) async fn show(
        &mut self,
        bill: &FoundBill,
        known: Option<&KnownBill>,
        day: NaiveDate,
        digest: String,
    ) -> Result<(), Fault> {
        let number = bill.info.text("InvoiceNo").trim().to_owned();
        let id = record_id(bill.inv_id(), &number);
        // Stored before it is written: were what follows lost, nobody would know whom to cancel when RainTek deletes it.
        let meant = known.is_none().then(|| KnownBill {
            inv_id: bill.inv_id(),
            number: number.clone(),
            day,
            digest: String::new(),
            record_id: Some(id.clone()),
            state: BillState::Shown,
            sentence: None,
        });
        let refused = match self.write(bill, meant).await {
            Ok(()) => None,
            Err(Refusal::Fault(fault)) => return Err(fault),
            Err(Refusal::Sentence(sentence)) => Some(sentence),
        };
        let state = if refused.is_some() { BillState::Refused } else { BillState::Shown };
        let news = known.and_then(|known| known.sentence.as_ref()) != refused.as_ref();
        match (&refused, known) {
            (Some(sentence), _) if news => self.say(&number, sentence.clone()),
            (Some(_), _) => {}
            (None, Some(known)) if known.state == BillState::Shown && !known.digest.is_empty() => {
                self.say(&number, format!("{number} was changed in RainTek; the app shows it so."));
            }
            (None, _) => {
                self.shown += 1;
                self.say(&number, format!("{number} of RainTek is shown in the billing app."));
            }
        }
        self.keep(KnownBill {
            inv_id: bill.inv_id(),
            number,
            day,
            digest,
            // A bill that was shown once stands in the app, also where its change is refused.
            record_id: Some(id),
            state,
            sentence: refused,
        });
        Ok(())
    }

    async fn write(&mut self, bill: &FoundBill, meant: Option<KnownBill>) -> Result<(), Refusal> {
        let invoice = pos_invoice(bill, &self.shared.rules.map.payments).map_err(Refusal::Sentence)?;
        let number = invoice.invoice.number.clone();
        self.make_room(bill).await.map_err(Refusal::Fault)?;
        let links = self.links().await.map_err(Refusal::Fault)?;
        if links.is_taken(&number) {
            self.ours_of_the_same_number(bill).await.map_err(Refusal::Fault)?;
            return Err(Refusal::Sentence(format!(
                "RainTek's bill {number} is not shown: an invoice of the app has this number too."
            )));
        }
        let (customer, products) = (links.customer(&invoice), links.products(&invoice));
        if let Some(meant) = meant {
            self.shared.world.state.put_bills(&[meant], &[], &[]).await.map_err(Refusal::Fault)?;
        }
        let write = BillWrite::Put { bill: Box::new(invoice.clone()), customer: customer.clone(), products };
        match self.shared.world.billing.write_bill(&write).await {
            Ok(()) => {
                let links = self.links().await.map_err(Refusal::Fault)?;
                links.confirm(&customer, invoice.invoice.customer.as_ref());
                Ok(())
            }
            Err(fault) if fault.kind == FaultKind::Data && !fault.is_outage() => {
                self.shared.log("bills", &fault);
                Err(Refusal::Sentence(fault.sentence))
            }
            Err(fault) => Err(Refusal::Fault(fault)),
        }
    }

    /// RainTek gives the number of a deleted bill out again: the older one is cancelled first.
    async fn make_room(&mut self, bill: &FoundBill) -> Result<(), Fault> {
        let own = key(bill);
        let older: Vec<KnownBill> = self
            .known
            .values()
            .filter(|known| known.state == BillState::Shown)
            .filter(|known| known.inv_id != own.inv_id && known.key().number == own.number)
            .cloned()
            .collect();
        for known in older {
            if self.read_one(&known).await?.is_none() {
                self.cancel(&known).await?;
            }
        }
        Ok(())
    }

    /// RainTek no longer has it. It stays in the app, cancelled.
    pub(super) async fn cancel(&mut self, known: &KnownBill) -> Result<(), Fault> {
        let id = known.record_id.clone().unwrap_or_else(|| record_id(known.inv_id, &known.number));
        let number = &known.number;
        match self.shared.world.billing.write_bill(&BillWrite::Cancel { id }).await {
            Ok(()) => {
                if known.state == BillState::Shown {
                    self.say(number, format!("{number} was deleted in RainTek; the app shows it cancelled."));
                }
                self.keep(KnownBill { state: BillState::Cancelled, sentence: None, ..known.clone() });
            }
            // A hook of the app's own: one bill must not keep the others from being followed.
            Err(fault) if fault.kind == FaultKind::Data && !fault.is_outage() => {
                self.shared.log("bills", &fault);
                let sentence = format!("{number} was deleted in RainTek. {}", fault.sentence);
                if known.sentence.as_ref() != Some(&sentence) {
                    self.say(number, sentence.clone());
                }
                let state = BillState::Refused;
                self.keep(KnownBill { state, sentence: Some(sentence), ..known.clone() });
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }
}

enum Refusal {
    /// This bill cannot be shown.
    Sentence(String),
    /// The pass cannot go on.
    Fault(Fault),
}
