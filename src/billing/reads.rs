//! Reading the app: complete and as superuser, or an error.
//!
//! PocketBase turns a request with a token that no longer counts silently into a guest's, and a guest of an open
//! collection sees fewer records or none, with status 200. So every read is a *list* whose filter asks for something
//! that only a superuser may ask for: to a guest PocketBase answers 403, and nobody is to look before and after.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::PocketBase;
use super::classify::{Doing, Trouble, classify_trouble};
use super::client::Ask;
use super::records::Parts;
use super::setup::Ready;
use super::shape::Shape;
use crate::model::fault::{Fault, Scope};
use crate::model::ids::RecordId;
use crate::model::invoice::{InvoiceHead, InvoiceRead, NotDue};
use crate::model::product::AppProduct;
use crate::ports::InvoiceScan;

/// The proof of being superuser, as part of a filter.
const AS_SUPERUSER: &str = "@request.auth.collectionName = '_superusers'";
/// PocketBase's largest page, and how many records it brings along with another.
const PAGE: usize = 1000;
/// Records asked for by their ids in one request: PocketBase's filters hold 3,500 characters.
const BY_NAME: usize = 100;
/// Invoices with all that belongs to them asked for in one request. PocketBase brings along a thousand lines of each at
/// most, and names them all in one statement, whose parameters end at 32,766; where it fails, it brings none and says nothing.
const WHOLE_BY_NAME: usize = 16;
/// More than these are looked for among all.
const MANY_BY_NAME: usize = 1000;
/// No shop has ten million records; a server that pages for ever is none.
const MOST_PAGES: u32 = 10_000;

/// Lines or payments, as PocketBase brings them along with an invoice.
struct Part {
    part: &'static str,
    /// Their name within `expand`.
    key: String,
    /// Whether they can come along at all.
    linked: bool,
}

/// What comes along with an invoice in one request.
struct Bring {
    expand: String,
    lines: Part,
    payments: Part,
}

impl Bring {
    fn of(app: &PocketBase, shape: &Shape) -> Self {
        let via = |part: &'static str| Part {
            part,
            key: format!("{}_via_{}", app.collection(part), app.field(part, "invoice")),
            linked: shape.links(part, "invoice", "invoices"),
        };
        let (lines, payments) = (via("invoice_items"), via("invoice_payments"));
        let mut expand = Vec::new();
        if shape.links("invoices", "customer", "customers") {
            expand.push(app.field("invoices", "customer").to_owned());
        }
        for Part { part, key, .. } in [&lines, &payments].into_iter().filter(|part| part.linked) {
            let with_product = *part == "invoice_items" && shape.links(part, "product", "products");
            expand.push(if with_product {
                format!("{key}.{}", app.field(part, "product"))
            } else {
                key.clone()
            });
        }
        Self { expand: expand.join(","), lines, payments }
    }
}

impl PocketBase {
    pub(super) async fn probe_once(&self, _: &Ready) -> Result<(), Fault> {
        let ours = ["sync_status", "source", "raintek_inv_id"];
        // A database that was put back from before ShopSync lacks our fields; asking for them brings that to light.
        let filter = ours.map(|field| format!("{} = 'none'", self.field("invoices", field))).join(" && ");
        let ask =
            self.ask("invoices", &filter).with("perPage", "1").with("skipTotal", "1").with("fields", "id");
        self.client.call(&ask).await?.ok(Doing::App).map(|_| ())
    }

    pub(super) async fn list_once(
        &self,
        ready: &Ready,
        scan: &InvoiceScan,
    ) -> Result<Vec<InvoiceHead>, Fault> {
        let mut filter = self.due_filter();
        if let InvoiceScan::Unproven { since } = scan {
            let status = self.field("invoices", "sync_status");
            let inv_id = self.field("invoices", "raintek_inv_id");
            let mut unproven = format!("{status} != 'synced' || {inv_id} <= 0");
            if let Some(since) = since.as_deref().filter(|_| ready.shape.has_field("invoices", "updated")) {
                let updated = self.field("invoices", "updated");
                let since = askable(since)?;
                unproven = format!("{unproven} || {updated} >= {since}");
            }
            filter = format!("{filter} && ({unproven})");
        }
        self.heads(ready, &filter).await
    }

    pub(super) async fn taken_back_once(
        &self,
        ready: &Ready,
        since: Option<&str>,
    ) -> Result<Vec<InvoiceHead>, Fault> {
        let (status, source) = (self.field("invoices", "status"), self.field("invoices", "source"));
        let mut filter = format!("{status} !~ 'completed' && {source} !~ 'raintek'");
        if let Some(since) = since {
            // Without a time of change nobody can say which are new: they are found with the whole list.
            if !ready.shape.has_field("invoices", "updated") {
                return Ok(Vec::new());
            }
            let updated = self.field("invoices", "updated");
            filter = format!("{filter} && {updated} >= {}", askable(since)?);
        }
        self.heads_where(ready, &filter, |reason| reason.is_some_and(|reason| reason != NotDue::FromPos))
            .await
    }

    pub(super) async fn of_number_once(
        &self,
        ready: &Ready,
        number: &str,
    ) -> Result<Vec<InvoiceHead>, Fault> {
        let field = self.field("invoices", "invoice_number");
        let due = self.due_filter();
        let number = number.trim();
        // A number that cannot be put into a filter safely is looked for among all.
        let filter = match quoted(number) {
            Some(quoted) => format!("{due} && {field} ~ {quoted}"),
            None => due,
        };
        let mut heads = self.heads(ready, &filter).await?;
        heads.retain(|head| head.number == number);
        Ok(heads)
    }

    pub(super) async fn invoice_once(&self, ready: &Ready, id: &RecordId) -> Result<InvoiceRead, Fault> {
        askable(id.as_str())?;
        let mut reads = self.invoices_once(ready, std::slice::from_ref(id)).await?;
        Ok(reads.pop().unwrap_or(InvoiceRead::NotDue(NotDue::Deleted)))
    }

    pub(super) async fn invoices_once(
        &self,
        ready: &Ready,
        ids: &[RecordId],
    ) -> Result<Vec<InvoiceRead>, Fault> {
        let bring = Bring::of(self, &ready.shape);
        let mut reads = Vec::with_capacity(ids.len());
        for some in ids.chunks(WHOLE_BY_NAME) {
            let named: Vec<String> = some.iter().filter_map(|id| quoted(id.as_str())).collect();
            let mut records = Vec::new();
            if !named.is_empty() {
                let filter = named.iter().map(|id| format!("id = {id}")).collect::<Vec<_>>().join(" || ");
                let ask = self.ask("invoices", &filter).with("perPage", named.len().to_string());
                let ask = ask.with("skipTotal", "1").with("expand", &bring.expand);
                records = items_of(self.client.call(&ask).await?.ok(Doing::App)?)?;
            }
            let records: HashMap<&str, &Value> =
                records.iter().filter_map(|record| Some((record.get("id")?.as_str()?, record))).collect();
            for id in some {
                reads.push(match (askable(id.as_str()), records.get(id.as_str())) {
                    // One that cannot stand in a filter is an error of its own, not of its neighbours.
                    (Err(fault), _) => InvoiceRead::Broken(fault),
                    (Ok(_), Some(record)) => self.whole(ready, record, &bring).await?,
                    // The answer was a superuser's, so that nothing really means that there is nothing.
                    (Ok(_), None) => InvoiceRead::NotDue(NotDue::Deleted),
                });
            }
        }
        Ok(reads)
    }

    /// An invoice of its record and what came along with it.
    async fn whole(&self, ready: &Ready, record: &Value, bring: &Bring) -> Result<InvoiceRead, Fault> {
        if let Some(reason) = self.reader.not_due(record) {
            return Ok(InvoiceRead::NotDue(reason));
        }
        let id = askable(record.get("id").and_then(Value::as_str).unwrap_or_default())?;
        let parts = Parts {
            lines: self.parts(ready, record, &bring.lines, &id).await?,
            payments: self.parts(ready, record, &bring.payments, &id).await?,
        };
        Ok(self.reader.invoice(record, &parts))
    }

    pub(super) async fn missing_once(&self, _: &Ready, ids: &[RecordId]) -> Result<Vec<RecordId>, Fault> {
        let only_ids = [("fields", "id".to_owned())];
        let named: Option<Vec<String>> =
            ids.iter().map(|id| quoted(id.as_str()).map(|id| format!("id = {id}"))).collect();
        // Few are asked for by their ids; many, or those that cannot stand in a filter, are looked for among all.
        let filters = match named.filter(|named| named.len() <= MANY_BY_NAME) {
            Some(named) => named.chunks(BY_NAME).map(|some| some.join(" || ")).collect(),
            None => vec!["id != ''".to_owned()],
        };
        let mut there = HashSet::new();
        for filter in filters {
            let records = self.all("invoices", &filter, &only_ids).await?;
            there.extend(records.iter().filter_map(id_of));
        }
        Ok(ids.iter().filter(|id| !there.contains(id.as_str())).cloned().collect())
    }

    pub(super) async fn products_once(&self, take: &mut (dyn FnMut(AppProduct) + Send)) -> Result<(), Fault> {
        let name = self.collection("products");
        self.every(name, "id != ''", &[], |record| take(self.reader.product(&record))).await
    }

    /// Completed and not of RainTek, as far as a filter can tell: spellings are judged when reading.
    fn due_filter(&self) -> String {
        let (status, source) = (self.field("invoices", "status"), self.field("invoices", "source"));
        format!("{status} ~ 'completed' && {source} !~ 'raintek'")
    }

    async fn heads(&self, ready: &Ready, filter: &str) -> Result<Vec<InvoiceHead>, Fault> {
        self.heads_where(ready, filter, |reason| reason.is_none()).await
    }

    /// `wanted` judges by why a record is not to be booked, if so.
    async fn heads_where(
        &self,
        ready: &Ready,
        filter: &str,
        wanted: fn(Option<NotDue>) -> bool,
    ) -> Result<Vec<InvoiceHead>, Fault> {
        let customer = self.field("invoices", "customer");
        let mut query = Vec::new();
        let mut fields = vec!["id".to_owned()];
        for field in ["invoice_number", "grand_total", "created", "updated", "invoice_date"] {
            fields.push(self.field("invoices", field).to_owned());
        }
        for field in ["status", "source", "sync_status", "raintek_inv_id"] {
            fields.push(self.field("invoices", field).to_owned());
        }
        if ready.shape.links("invoices", "customer", "customers") {
            query.push(("expand", customer.to_owned()));
            fields.push(format!("expand.{customer}.id"));
            fields.push(format!("expand.{customer}.{}", self.field("customers", "name")));
        }
        query.push(("fields", fields.join(",")));
        let mut heads = Vec::new();
        let each = |record: Value| {
            if wanted(self.reader.not_due(&record)) {
                heads.push(self.reader.head(&record));
            }
        };
        self.every(self.collection("invoices"), filter, &query, each).await?;
        Ok(heads)
    }

    /// Every record that a filter finds. Pages go by id, so that a record that is written meanwhile moves no other.
    pub(super) async fn all(
        &self,
        collection: &'static str,
        filter: &str,
        query: &[(&'static str, String)],
    ) -> Result<Vec<Value>, Fault> {
        let mut records = Vec::new();
        self.every(self.collection(collection), filter, query, |record| records.push(record)).await?;
        Ok(records)
    }

    /// The same of any collection, by the app's name for it; only a record's id and one field.
    pub(super) async fn all_of(&self, name: &str, filter: &str, field: &str) -> Result<Vec<Value>, Fault> {
        let mut records = Vec::new();
        let fields = [("fields", format!("id,{field}"))];
        self.every(name, filter, &fields, |record| records.push(record)).await?;
        Ok(records)
    }

    /// Page by page, so that nobody holds them all.
    async fn every(
        &self,
        name: &str,
        filter: &str,
        query: &[(&'static str, String)],
        each: impl FnMut(Value) + Send,
    ) -> Result<(), Fault> {
        let mut each = each;
        let mut after = String::new();
        for _ in 0..MOST_PAGES {
            let mut ask = as_superuser(name, &format!("({filter}) && id > '{after}'"));
            ask = ask.with("perPage", PAGE.to_string()).with("skipTotal", "1").with("sort", "id");
            for (name, value) in query {
                ask = ask.with(name, value.clone());
            }
            let body = self.client.call(&ask).await?.ok(Doing::App)?;
            let page =
                body.get("perPage").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
            let items = items_of(body)?;
            let last =
                items.last().and_then(|item| item.get("id")).and_then(Value::as_str).unwrap_or_default();
            let full = items.len() >= page.unwrap_or(PAGE).min(PAGE);
            if full && (last <= after.as_str() || quoted(last).is_none()) {
                return Err(endless(name));
            }
            after = last.to_owned();
            items.into_iter().for_each(&mut each);
            if !full {
                return Ok(());
            }
        }
        Err(endless(name))
    }

    /// Lines or payments of one invoice: those that came along with it, or, where PocketBase cuts them off or cannot
    /// bring them, a list of their own.
    async fn parts(
        &self,
        ready: &Ready,
        invoice: &Value,
        Part { part, key, linked }: &Part,
        id: &str,
    ) -> Result<Vec<Value>, Fault> {
        if !ready.shape.has_field(part, "invoice") {
            return Ok(Vec::new());
        }
        if *linked {
            let came: Vec<Value> = match invoice.get("expand").and_then(|expand| expand.get(key)) {
                Some(Value::Array(records)) => records.clone(),
                Some(record @ Value::Object(_)) => vec![record.clone()],
                _ => Vec::new(),
            };
            if came.len() < PAGE {
                return Ok(came);
            }
        }
        let filter = format!("{} = {id}", self.field(part, "invoice"));
        let mut records: Vec<Value> = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut ask =
                self.ask(part, &filter).with("perPage", PAGE.to_string()).with("page", page.to_string());
            ask = ask.with("sort", "@rowid");
            if *part == "invoice_items" && ready.shape.links(part, "product", "products") {
                ask = ask.with("expand", self.field(part, "product"));
            }
            let body = self.client.call(&ask).await?.ok(Doing::App)?;
            let total = body.get("totalItems").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
            let items = items_of(body)?;
            let done = items.is_empty();
            records.extend(items);
            if total == Some(records.len()) {
                return Ok(records);
            }
            if done {
                break;
            }
        }
        Err(Fault::transient(Scope::Billing, "The lines of an invoice changed while they were read."))
    }

    pub(super) fn ask(&self, collection: &'static str, filter: &str) -> Ask {
        as_superuser(self.collection(collection), filter)
    }
}

fn as_superuser(collection: &str, filter: &str) -> Ask {
    let path = format!("/api/collections/{collection}/records");
    Ask::get(path).with("filter", format!("{AS_SUPERUSER} && ({filter})"))
}

/// A text as part of a filter; `None` for one that PocketBase's filters could take for something else.
fn quoted(text: &str) -> Option<String> {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '/' | '.' | ':' | '#' | '(' | ')');
    (!text.is_empty() && text.len() <= 200 && text.chars().all(plain)).then(|| format!("'{text}'"))
}

/// The same, or why it cannot be asked for.
pub(super) fn askable(text: &str) -> Result<String, Fault> {
    quoted(text).ok_or_else(|| not_askable(text))
}

fn id_of(record: &Value) -> Option<String> {
    record.get("id").and_then(Value::as_str).map(str::to_owned)
}

fn not_askable(text: &str) -> Fault {
    let text: String = text.chars().take(40).collect();
    Fault::data(format!("The billing app cannot be asked for {text:?}."))
}

fn items_of(mut body: Value) -> Result<Vec<Value>, Fault> {
    match body.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(classify_trouble(Trouble::NotJson, "a list without items")),
    }
}

fn endless(collection: &str) -> Fault {
    classify_trouble(Trouble::TooLarge, collection)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn only_plain_texts_go_into_a_filter() {
        assert_eq!(quoted("G-1/26-27").as_deref(), Some("'G-1/26-27'"));
        for text in ["", "a'b", "a\\", "x\" || 1", "50%", "a_b", "\n", "रु"] {
            assert_eq!(quoted(text), None, "{text}");
        }
    }
}
