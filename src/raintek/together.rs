//! Many bills looked up together, to be compared. RainTek has no index on a number, so that each look for one goes
//! through whole tables; here one look serves hundreds of them. No lock is taken, and between two round trips others
//! have their turn on the connection.
//!
//! Which row belongs to which bill is told here by the letters of its number, and there by the server's collation. Only
//! numbers of plain letters are looked up together, where both say the same; whatever else comes up is left to be asked
//! for by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tiberius::{Query, Row as SqlRow};

use super::lookup::{check_columns, column_count, company_state, product_columns, products, small};
use super::statement::{quoted, select_list};
use super::values::row;
use super::{RainTek, postings};
use crate::model::bill::{Found, FoundBill, LineProduct, Lookup, Row};
use crate::model::fault::Fault;
use crate::model::ids::{InvId, ProductId};
use crate::model::invoice::TaxType;
use crate::model::posting::{Book, Books, FoundPostings};
use crate::model::schema::{PosSchema, Table};
use crate::ports::Pos;

/// Bills of one look. It asks for at most twice as many numbers at once, and SQL Server takes 2,100 parameters.
pub(super) const MOST: usize = 500;
/// Keys of one statement.
const MOST_KEYS: usize = 1_000;
/// No number is longer: RainTek's column has thirty letters.
const LONGEST: usize = 200;

/// Looks for all of them; `None` is one that is to be asked for by itself.
pub(super) async fn look(raintek: &RainTek, lookups: &[Lookup]) -> Result<Vec<Option<Found>>, Fault> {
    let schema = raintek.schema().await?;
    let look = Look { raintek, schema: &schema, lookups };
    let Some((places, company_state)) = look.places().await? else { return Ok(none(lookups)) };
    let Some(under) = look.under_numbers(&places).await? else { return Ok(none(lookups)) };
    let mut rows = look.rows(&places).await?;
    let products = look.products(&places).await?;
    let found = lookups.iter().zip(&places).zip(products).map(|((lookup, place), products)| {
        let place = place.as_ref()?;
        let mut bills: Vec<FoundBill> =
            place.ids.iter().filter_map(|id| rows.give(*id, place.whole)).collect();
        if let Some(bill) = bills.iter_mut().find(|bill| Some(bill.inv_id()) == place.whole) {
            bill.counter = under.counter(lookup);
        }
        let stray = postings::hand_out(under.books(place), &mut bills);
        let found = Found {
            bills,
            products,
            company_state: company_state.clone(),
            known: lookup.inv_id,
            postings: FoundPostings { stray, ..FoundPostings::default() },
            ..Found::default()
        };
        named(lookup, found)
    });
    Ok(found.collect())
}

fn none(lookups: &[Lookup]) -> Vec<Option<Found>> {
    lookups.iter().map(|_| None).collect()
}

/// With the customer that the bill names. Where it names none, the one of the invoice's phone would count: that is
/// looked for one by one, since no index helps and every spelling is compared.
fn named(lookup: &Lookup, found: Found) -> Option<Found> {
    let own = found.bills.iter().find(|bill| Some(bill.inv_id()) == lookup.inv_id);
    let Some(bill) = own.filter(|bill| bill.has_number(&lookup.number)) else { return Some(found) };
    let (customer, party) = (Some(bill.customer_id()?), bill.party());
    if party.is_none() && bill.postings.kinds().ledgers {
        return None;
    }
    let postings = FoundPostings { party: party.unwrap_or_default(), ..found.postings };
    Some(Found { customer, postings, ..found })
}

/// Where the bills of one look-up are.
struct Place {
    /// All that carry its number, and the one of its Inv_ID.
    ids: BTreeSet<InvId>,
    /// The one that comes with all its rows: the first of the number, as in a look for it alone.
    whole: Option<InvId>,
    /// Its number, and that of the bill of its Inv_ID where that is another one.
    numbers: Vec<String>,
}

struct Look<'a> {
    raintek: &'a RainTek,
    schema: &'a PosSchema,
    lookups: &'a [Lookup],
}

impl Look<'_> {
    fn table(&self, name: &str) -> Result<&Table, Fault> {
        self.schema.table(name).ok_or_else(super::schema::not_read)
    }

    /// Finds them, and reads the shop's own state. `None` where the server compares texts in a way of its own.
    async fn places(&self) -> Result<Option<(Vec<Option<Place>>, String)>, Fault> {
        let mut texts: BTreeMap<String, &str> = BTreeMap::new();
        let mut two_spellings = HashSet::new();
        for lookup in self.lookups.iter().filter(|lookup| lookup.inv_id.is_some()) {
            let Some(key) = key(&lookup.number) else { continue };
            let text = lookup.number.trim_end_matches(' ');
            // A server that minds case holds these for two.
            if *texts.entry(key.clone()).or_insert(text) != text {
                two_spellings.insert(key);
            }
        }
        let mut keys = Keys::default();
        let numbers = keys.list(texts.values().map(|text| Key::Text((*text).to_owned())));
        let ids = keys.list(self.lookups.iter().filter_map(|lookup| lookup.inv_id).map(Key::Int));
        let text = format!(
            "SET NOCOUNT ON;\n\
             SELECT Inv_ID, InvoiceNo FROM InvoiceInfo WHERE InvoiceNo IN ({numbers});\n\
             SELECT Inv_ID, InvoiceNo FROM InvoiceInfo WHERE Inv_ID IN ({ids});\n\
             SELECT {}, {};\n",
            column_count(),
            company_state(self.schema),
        );
        if texts.is_empty() {
            return Ok(None);
        }
        let read = |sets: Vec<Vec<SqlRow>>| {
            let mut sets = sets.iter().map(|rows| rows.iter().map(row).collect::<Result<Vec<Row>, Fault>>());
            let mut next = || sets.next().unwrap_or_else(|| Ok(Vec::new()));
            let (of_number, of_id, head) = (next()?, next()?, next()?.pop().unwrap_or_default());
            check_columns(&head, self.schema)?;
            Ok((of_number, of_id, head.text("company_state").trim().to_owned()))
        };
        let (of_number, of_id, company_state) = self.raintek.ask(keys.query(text), read).await?;
        let mut by_number: HashMap<String, Vec<InvId>> = HashMap::new();
        for row in &of_number {
            match key(row.text("InvoiceNo")).filter(|key| texts.contains_key(key)) {
                Some(key) => by_number.entry(key).or_default().push(small(row, "Inv_ID")),
                None => return Ok(None),
            }
        }
        let of_id: HashMap<InvId, FoundBill> = of_id
            .into_iter()
            .map(|info| (small(&info, "Inv_ID"), FoundBill { info, ..FoundBill::default() }))
            .collect();
        for bill in of_id.values() {
            let text = bill.info.text("InvoiceNo").trim_end_matches(' ');
            if let Some(key) = key(text)
                && *texts.entry(key.clone()).or_insert(text) != text
            {
                two_spellings.insert(key);
            }
        }
        let place = |lookup: &Lookup| {
            let (inv_id, own) = (lookup.inv_id?, key(&lookup.number)?);
            let mut ids: BTreeSet<InvId> = by_number.get(&own).into_iter().flatten().copied().collect();
            let mut whole = ids.first().copied();
            let mut numbers = vec![lookup.number.trim_end_matches(' ').to_owned()];
            let mut is_clear = !two_spellings.contains(&own);
            if let Some(known) = of_id.get(&inv_id) {
                ids.insert(inv_id);
                whole = match whole {
                    Some(first) if known.has_number(&lookup.number) => Some(first.min(inv_id)),
                    whole => whole.or(Some(inv_id)),
                };
                let text = known.info.text("InvoiceNo").trim_end_matches(' ');
                let other = key(text)?;
                is_clear &= !two_spellings.contains(&other);
                if other != own {
                    numbers.push(text.to_owned());
                }
            }
            is_clear.then_some(Place { ids, whole, numbers })
        };
        Ok(Some((self.lookups.iter().map(place).collect(), company_state)))
    }

    /// What stands under the numbers beside the bills. `None` as in [`Self::places`].
    async fn under_numbers(&self, places: &[Option<Place>]) -> Result<Option<Under>, Fault> {
        let mut under = Under::default();
        let whole = |place: &&Place| place.whole.is_some();
        let numbers: BTreeSet<&String> =
            places.iter().flatten().filter(whole).flat_map(|place| &place.numbers).collect();
        let of_series = |series: TaxType| -> BTreeSet<&String> {
            let there = self.lookups.iter().zip(places).filter(|(lookup, _)| lookup.tax_type == series);
            there
                .filter_map(|(_, place)| place.as_ref())
                .filter(whole)
                .filter_map(|place| place.numbers.first())
                .collect()
        };
        for series in [TaxType::Gst, TaxType::NonGst] {
            let Some(table) = self.schema.table(series.counter_table()) else { continue };
            for some in chunks(of_series(series)) {
                let mut keys = Keys::default();
                let list = keys.list(some.iter().map(|number| Key::Text((*number).clone())));
                let text = format!(
                    "SELECT ID, InvNo FROM {} WHERE InvNo IN ({list}) ORDER BY ID;",
                    quoted(&table.name)
                );
                for row in self.raintek.ask(keys.query(text), first_set).await? {
                    let Some(number) = key(row.text("InvNo")) else { return Ok(None) };
                    under.counters.entry((series, number)).or_default().push(row);
                }
            }
        }
        for some in chunks(numbers) {
            let mut keys = Keys::default();
            let list = keys.list(some.iter().map(|number| Key::Text((*number).clone())));
            let text = postings::select(self.schema, self.raintek.posting, &list);
            if text.is_empty() {
                continue;
            }
            let read = |sets: Vec<Vec<SqlRow>>| {
                let mut books = Books::default();
                sets.iter().try_for_each(|rows| postings::collect(rows, &mut books))?;
                Ok(books)
            };
            let books = self.raintek.ask(keys.query(format!("SET NOCOUNT ON;\n{text}")), read).await?;
            for (book, rows) in books.0 {
                for row in rows {
                    let Some(number) = key(row.text(book.number_column())) else { return Ok(None) };
                    under.books.entry(number).or_default().0.entry(book).or_default().push(row);
                }
            }
        }
        Ok(Some(under))
    }

    /// The bills' own rows, by key.
    async fn rows(&self, places: &[Option<Place>]) -> Result<Rows, Fault> {
        let mut rows = Rows::default();
        let mut whole = BTreeSet::new();
        for place in places.iter().flatten() {
            place.ids.iter().for_each(|id| *rows.wanted.entry(*id).or_default() += 1);
            whole.extend(place.whole);
        }
        let ids: BTreeSet<InvId> = rows.wanted.keys().copied().collect();
        for some in chunks(ids) {
            let mut keys = Keys::default();
            let infos = keys.list(some.iter().map(|id| Key::Int(*id)));
            let lines = match some.iter().all(|id| whole.contains(id)) {
                true => infos.clone(),
                false => keys.list(some.iter().filter(|id| whole.contains(id)).map(|id| Key::Int(*id))),
            };
            let text = format!(
                "SET NOCOUNT ON;\n\
                 SELECT {} FROM InvoiceInfo WHERE Inv_ID IN ({infos});\n\
                 SELECT {} FROM Invoice_Product WHERE InvoiceID IN ({lines}) ORDER BY InvoiceID, IPo_ID;\n\
                 SELECT {} FROM Invoice_Payment WHERE InvoiceID IN ({lines}) ORDER BY InvoiceID, IP_ID;\n",
                select_list(self.table("InvoiceInfo")?),
                select_list(self.table("Invoice_Product")?),
                select_list(self.table("Invoice_Payment")?),
            );
            let read = |sets: Vec<Vec<SqlRow>>| {
                for (at, set) in sets.into_iter().enumerate() {
                    for sql in set {
                        let row = row(&sql)?;
                        let key = if at == 0 { "Inv_ID" } else { "InvoiceID" };
                        let bill = rows.bills.entry(small(&row, key)).or_default();
                        match at {
                            0 => bill.info = row,
                            1 => bill.lines.push(row),
                            _ => bill.payments.push(row),
                        }
                    }
                }
                Ok(())
            };
            self.raintek.ask(keys.query(text), read).await?;
        }
        Ok(rows)
    }

    /// What RainTek says of the products of every invoice whose bill is there: by key as far as their keys are known,
    /// else by code.
    async fn products(&self, places: &[Option<Place>]) -> Result<Vec<Vec<LineProduct>>, Fault> {
        let columns = product_columns(self.table("Product")?);
        let there = |place: &Option<Place>| place.as_ref().is_some_and(|place| place.whole.is_some());
        let pids: Vec<Vec<ProductId>> = self
            .lookups
            .iter()
            .zip(places)
            .map(|(lookup, place)| {
                let mut pids = if there(place) { self.raintek.known_pids(lookup) } else { Vec::new() };
                pids.truncate(MOST_KEYS);
                pids
            })
            .collect();
        let mut by_pid: HashMap<ProductId, LineProduct> = HashMap::new();
        for some in chunks(pids.iter().flatten().copied().collect::<BTreeSet<ProductId>>()) {
            let mut keys = Keys::default();
            let list = keys.list(some.into_iter().map(Key::Int));
            let text = format!("SELECT {columns} FROM Product WHERE PID IN ({list})");
            let read = |sets: Vec<Vec<SqlRow>>| products(&sets.into_iter().next().unwrap_or_default());
            let there = self.raintek.ask(keys.query(text), read).await?;
            by_pid.extend(there.into_iter().map(|product| (product.pid, product)));
        }
        let mut all: Vec<Vec<LineProduct>> = pids
            .iter()
            .map(|pids| pids.iter().filter_map(|pid| by_pid.get(pid).cloned()).collect())
            .collect();
        let mut missing: Vec<Vec<String>> = Vec::with_capacity(all.len());
        for ((lookup, place), found) in self.lookups.iter().zip(places).zip(&all) {
            let is_there = |code: &&String| {
                found.iter().any(|product: &LineProduct| product.code.eq_ignore_ascii_case(code))
            };
            let codes = lookup.product_codes.iter().filter(|code| there(place) && !is_there(code));
            missing.push(codes.map(|code| code.to_ascii_lowercase()).collect());
        }
        let mut by_code: HashMap<String, Vec<LineProduct>> = HashMap::new();
        let texts: BTreeMap<String, &String> = self
            .lookups
            .iter()
            .flat_map(|lookup| &lookup.product_codes)
            .map(|code| (code.to_ascii_lowercase(), code))
            .collect();
        for some in chunks(missing.iter().flatten().collect::<BTreeSet<&String>>()) {
            let mut keys = Keys::default();
            let list = keys.list(
                some.into_iter().filter_map(|code| texts.get(code)).map(|code| Key::Text((*code).clone())),
            );
            let text = format!("SELECT {columns} FROM Product WHERE ProductCode IN ({list})");
            let read = |sets: Vec<Vec<SqlRow>>| products(&sets.into_iter().next().unwrap_or_default());
            for product in self.raintek.ask(keys.query(text), read).await? {
                by_code.entry(product.code.to_ascii_lowercase()).or_default().push(product);
            }
        }
        for (products, missing) in all.iter_mut().zip(&missing) {
            products.extend(missing.iter().filter_map(|code| by_code.get(code)).flatten().cloned());
        }
        Ok(all)
    }
}

/// Rows of bills, by Inv_ID.
#[derive(Default)]
struct Rows {
    bills: HashMap<InvId, FoundBill>,
    /// How many look-ups a bill is still to be given to.
    wanted: HashMap<InvId, usize>,
}

impl Rows {
    /// A bill; its rows where it is the one that comes whole.
    fn give(&mut self, id: InvId, whole: Option<InvId>) -> Option<FoundBill> {
        let left = self.wanted.get_mut(&id)?;
        *left = left.saturating_sub(1);
        // One that is nobody's beside this one need not stand in memory twice.
        let mut bill = if *left == 0 { self.bills.remove(&id)? } else { self.bills.get(&id)?.clone() };
        if bill.info.0.is_empty() {
            return None;
        }
        if Some(id) != whole {
            bill.lines.clear();
            bill.payments.clear();
        }
        Some(bill)
    }
}

/// What stands under numbers.
#[derive(Default)]
struct Under {
    counters: HashMap<(TaxType, String), Vec<Row>>,
    books: HashMap<String, Books>,
}

impl Under {
    fn counter(&self, lookup: &Lookup) -> Vec<Row> {
        let number = key(&lookup.number).unwrap_or_default();
        self.counters.get(&(lookup.tax_type, number)).cloned().unwrap_or_default()
    }

    fn books(&self, place: &Place) -> Books {
        let mut all: BTreeMap<Book, Vec<Row>> = BTreeMap::new();
        for books in place.numbers.iter().filter_map(|number| self.books.get(&key(number)?)) {
            for (book, rows) in &books.0 {
                all.entry(*book).or_default().extend(rows.iter().cloned());
            }
        }
        Books(all)
    }
}

/// The number as every server compares it that does not mind case; `None` where it has letters of which that is not
/// known.
fn key(number: &str) -> Option<String> {
    let text = number.trim_end_matches(' ');
    let plain =
        !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    plain.then(|| text.to_ascii_lowercase())
}

fn chunks<T: Clone>(keys: BTreeSet<T>) -> Vec<Vec<T>> {
    let keys: Vec<T> = keys.into_iter().collect();
    keys.chunks(MOST_KEYS).map(<[T]>::to_vec).collect()
}

fn first_set(sets: Vec<Vec<SqlRow>>) -> Result<Vec<Row>, Fault> {
    sets.into_iter().next().unwrap_or_default().iter().map(row).collect()
}

/// A key that is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Int(i32),
    Text(String),
}

/// The parameters of one query; equal keys share one.
#[derive(Debug, Default)]
struct Keys {
    keys: Vec<Key>,
    places: HashMap<Key, usize>,
}

impl Keys {
    /// Rows of keys for an IN. Not a plain list: with all of a list the server compares each row of a table one by one where
    /// no index helps; rows it joins.
    fn list(&mut self, keys: impl Iterator<Item = Key>) -> String {
        let (mut named, mut last) = (Vec::new(), None);
        for key in keys {
            let next = self.keys.len() + 1;
            let place = *self.places.entry(key.clone()).or_insert(next);
            if place == next {
                self.keys.push(key.clone());
            }
            named.push(format!("(@P{place})"));
            last = Some(key);
        }
        let Some(last) = last else { return "NULL".to_owned() };
        // Of a few lengths only: the server keeps a plan for each.
        for _ in named.len()..named.len().next_power_of_two() {
            self.keys.push(last.clone());
            named.push(format!("(@P{})", self.keys.len()));
        }
        format!("SELECT k.v FROM (VALUES {}) AS k (v)", named.join(", "))
    }

    fn query(self, text: String) -> Query<'static> {
        let mut query = Query::new(text);
        for key in self.keys {
            match key {
                Key::Int(key) => query.bind(key),
                Key::Text(key) => query.bind(key),
            }
        }
        query
    }
}
