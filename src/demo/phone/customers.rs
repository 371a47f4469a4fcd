//! Who buys: strangers, new customers, and those RainTek knows, whose phone is typed in many ways.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kind::Kind;
use crate::demo::caller::Caller;
use crate::demo::chance::Chance;
use crate::demo::values::{rows, text};

/// A customer that RainTek has already.
#[derive(Debug, Clone)]
struct Known {
    name: String,
    digits: String,
    state: String,
}

/// The app's customers, as far as this phone knows them.
#[derive(Debug)]
pub(super) struct Customers {
    known: Vec<Known>,
    /// Phone as typed -> record and state. The app allows each spelling once.
    records: BTreeMap<String, (String, String)>,
    new: u64,
    home: String,
}

/// Whose bill it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Buyer {
    /// The record; empty for nobody.
    pub(super) record: String,
    pub(super) other_state: bool,
}

const NAMES: [&str; 12] = [
    "Lakshmi Narayan",
    "Suresh Babu",
    "Meena Stores",
    "Imran Khan",
    "Shalini Rao",
    "Green Leaf Canteen",
    "Joseph Fernandes",
    "कमला देवी",
    "Hotel Udupi Sagar",
    "Praveen Hegde",
    "Zainab & Daughters",
    "Kiran Kumar K. R.",
];
const OTHER_STATES: [&str; 4] = ["Tamil Nadu", "Kerala", "Maharashtra", "Telangana"];
/// RainTek keeps 250 characters of an address.
const LONG_ADDRESS: usize = 300;

impl Customers {
    /// From RainTek's tables, as they were when the day began.
    pub(super) fn new(dump: &Value) -> Self {
        let home = rows(dump, "Company").first().map(|row| text(row, "State").to_owned()).unwrap_or_default();
        let known = rows(dump, "Customer").iter().filter_map(|row| {
            let digits: String = text(row, "ContactNo").chars().filter(char::is_ascii_digit).collect();
            let start = digits.len().checked_sub(10)?;
            let digits = digits.get(start..)?.to_owned();
            Some(Known { name: text(row, "Name").to_owned(), digits, state: text(row, "State").to_owned() })
        });
        Self { known: known.collect(), records: BTreeMap::new(), new: 0, home }
    }

    /// Chooses somebody, and makes them in the app where they are new there.
    pub(super) async fn choose(
        &mut self,
        caller: &Caller,
        chance: &mut Chance,
        kind: Kind,
        seed: u64,
    ) -> anyhow::Result<Buyer> {
        match kind {
            Kind::WalkIn => {
                if chance.one_in(2) {
                    return Ok(Buyer::default());
                }
                // Somebody gives a name, but no phone.
                let id = chance.record_id();
                let name = chance.pick(&NAMES).copied().unwrap_or("Somebody");
                caller.create("customers", &json!({ "id": id, "name": name })).await?;
                Ok(Buyer { record: id, other_state: false })
            }
            Kind::NewCustomer | Kind::Igst => self.stranger(caller, chance, kind, seed).await,
            Kind::KnownCustomer => self.known(caller, chance).await,
            _ if chance.one_in(5) => self.known(caller, chance).await,
            _ if chance.one_in(6) => self.again(chance),
            _ => Ok(Buyer::default()),
        }
    }

    async fn stranger(
        &mut self,
        caller: &Caller,
        chance: &mut Chance,
        kind: Kind,
        seed: u64,
    ) -> anyhow::Result<Buyer> {
        self.new += 1;
        let digits = format!("8{:03}{:06}", seed % 1000, self.new);
        let name = chance.pick(&NAMES).copied().unwrap_or("Somebody");
        let state = match kind {
            Kind::Igst => chance.pick(&OTHER_STATES).copied().unwrap_or("Kerala").to_owned(),
            _ if chance.one_in(3) => String::new(),
            _ => self.home.clone(),
        };
        let phone = spelling(chance, &digits);
        let address =
            if chance.one_in(4) { "12, 4th Main, ".repeat(LONG_ADDRESS / 14) } else { "12, 4th Main".into() };
        let buyer = json!({
            "name": format!("{name} {}", self.new), "phone": phone, "address": address.trim(),
            "city": "Mysuru", "state": state, "gstin": if chance.one_in(3) { "29ABCDE1234F1Z5" } else { "" }
        });
        self.make(caller, chance, buyer).await
    }

    /// Somebody RainTek knows, or a stranger of before, with the phone typed in yet another way.
    async fn known(&mut self, caller: &Caller, chance: &mut Chance) -> anyhow::Result<Buyer> {
        let Some(known) = chance.pick(&self.known).cloned() else { return Ok(Buyer::default()) };
        let phone = spelling(chance, &known.digits);
        if let Some((record, state)) = self.records.get(&phone) {
            return Ok(self.buyer(record, state));
        }
        // The app's own spelling of the name: RainTek keeps its own.
        let buyer = json!({ "name": known.name.to_uppercase(), "phone": phone, "state": known.state });
        self.make(caller, chance, buyer).await
    }

    /// Somebody who was here before.
    fn again(&self, chance: &mut Chance) -> anyhow::Result<Buyer> {
        let all: Vec<&(String, String)> = self.records.values().collect();
        Ok(chance.pick(&all).map(|(record, state)| self.buyer(record, state)).unwrap_or_default())
    }

    async fn make(&mut self, caller: &Caller, chance: &mut Chance, mut body: Value) -> anyhow::Result<Buyer> {
        let id = chance.record_id();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("id".to_owned(), Value::String(id.clone()));
        }
        let phone = text(&body, "phone").to_owned();
        // Somebody whom RainTek knows may stand in the app by now, in RainTek's spelling.
        let (id, state) = match caller.create("customers", &body).await {
            Ok(()) => (id, text(&body, "state").to_owned()),
            Err(refused) => match caller.with("customers", "phone", &phone).await?.first() {
                Some(there) => (text(there, "id").to_owned(), text(there, "state").to_owned()),
                None => return Err(refused),
            },
        };
        let buyer = self.buyer(&id, &state);
        self.records.insert(phone, (id, state));
        Ok(buyer)
    }

    fn buyer(&self, record: &str, state: &str) -> Buyer {
        Buyer { record: record.to_owned(), other_state: !state.is_empty() && state != self.home }
    }
}

/// One phone number, as people type it.
fn spelling(chance: &mut Chance, digits: &str) -> String {
    let (front, back) = digits.split_at_checked(5).unwrap_or((digits, ""));
    match chance.below(6) {
        0 => format!("+91 {front} {back}"),
        1 => format!("0{digits}"),
        2 => format!("{front} {back}"),
        3 => format!("+91-{digits}"),
        4 => format!("91{digits}"),
        _ => digits.to_owned(),
    }
}
