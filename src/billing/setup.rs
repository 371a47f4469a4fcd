//! Adds to a running app what ShopSync needs and the app lacks; changes nothing that is there.

use serde_json::{Value, json};

use super::classify::{Doing, schema};
use super::client::{Ask, Client};
use super::shape::Shape;
use super::templates::{
    ESSENTIAL, OPTIONAL, OWN_COUNTERS, OWN_FIELDS, collections, counter_fields, own_fields,
};
use crate::model::fault::{Action, Fault};
use crate::model::settings::BillingSettings;

/// Writes in one batch. A hundred take about 0.13 s, and as long the phones' own writes wait.
const BATCH_SIZE: u64 = 100;
/// What batches are switched on with, where the app had them off.
const BATCH_REQUESTS: u64 = 500;
const BATCH_SECONDS: u64 = 30;

/// Fields without which nothing can be said of an invoice or product. Others read as blank where they are missing.
const NEEDED_FIELDS: [(&str, &str); 7] = [
    ("products", "product_code"),
    ("invoices", "invoice_number"),
    ("invoices", "invoice_date"),
    ("invoices", "status"),
    ("invoices", "grand_total"),
    ("invoice_items", "invoice"),
    ("invoice_items", "quantity"),
];

/// The app as it is once it has everything.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    /// Its collections.
    pub(super) shape: Shape,
    /// Writes in one batch; 0 where the app refuses batches.
    pub(super) batch: usize,
    /// What was added just now, in words.
    pub(super) added: Vec<String>,
}

/// Looks at the app and adds what is missing.
pub(super) async fn ensure(client: &Client, names: &BillingSettings) -> Result<Ready, Fault> {
    let mut added = Vec::new();
    let mut list = fetch(client).await?;
    let mut shape = Shape::of(&list, names);
    if is_no_app(&list, &shape) {
        let body = json!({"collections": collections(names), "deleteMissing": false});
        client.call(&Ask::put("/api/collections/import", body)).await?.ok(Doing::App)?;
        added.push("the collections of a billing app".to_owned());
        list = fetch(client).await?;
        shape = Shape::of(&list, names);
    }
    if let Some(missing) = ESSENTIAL.iter().find(|collection| !shape.has(collection)) {
        return Err(schema(format!("The billing app has no collection {}.", names.collection(missing)))
            .action(Action::FixSettings)
            .detail("the setting billing.collections names those of an app that differs"));
    }
    let lacking = NEEDED_FIELDS.iter().find(|(collection, field)| !shape.has_field(collection, field));
    if let Some((collection, field)) = lacking {
        let (field, collection) = (names.field(collection, field), names.collection(collection));
        return Err(schema(format!("The billing app has no field {field} in {collection}."))
            .action(Action::FixSettings)
            .detail("the setting billing.fields names those of an app that differs"));
    }
    let before = added.len();
    for (collection, _) in OWN_FIELDS {
        added.extend(add_fields(client, names, &shape, collection, own_fields(names, collection)).await?);
    }
    if shape.id("counters") == Some(OWN_COUNTERS) {
        added.extend(add_fields(client, names, &shape, "counters", counter_fields(names)).await?);
    }
    if added.len() > before {
        shape = Shape::of(&fetch(client).await?, names);
    }
    check_fields(names, &shape)?;
    let (batch, switched_on) = ensure_batch(client).await?;
    if switched_on {
        added.push("batch requests".to_owned());
    }
    Ok(Ready { shape, batch, added })
}

/// Every collection of the app. Only a superuser gets an answer.
async fn fetch(client: &Client) -> Result<Vec<Value>, Fault> {
    let mut all = Vec::new();
    for page in 1..=100_u32 {
        let ask = Ask::get("/api/collections").with("perPage", "500").with("page", page.to_string());
        let mut body = client.call(&ask).await?.ok(Doing::App)?;
        let pages = body.get("totalPages").and_then(Value::as_u64).unwrap_or_default();
        if let Some(Value::Array(items)) = body.get_mut("items").map(Value::take) {
            all.extend(items);
        }
        if u64::from(page) >= pages {
            break;
        }
    }
    Ok(all)
}

/// Whether nobody has made an app here yet: nothing but what PocketBase brings along. An app that merely names
/// everything otherwise is left alone, since its names belong into the settings.
fn is_no_app(list: &[Value], shape: &Shape) -> bool {
    let ours = ESSENTIAL.iter().chain(&OPTIONAL).any(|collection| shape.has(collection));
    let theirs = list.iter().any(|json| {
        let system = json.get("system").and_then(Value::as_bool).unwrap_or_default();
        !system && json.get("name").and_then(Value::as_str) != Some("users")
    });
    !ours && !theirs
}

async fn add_fields(
    client: &Client,
    names: &BillingSettings,
    shape: &Shape,
    collection: &'static str,
    wanted: Vec<Value>,
) -> Result<Vec<String>, Fault> {
    let Some(json) = shape.json(collection) else { return Ok(Vec::new()) };
    let (Some(id), Some(there)) =
        (json.get("id").and_then(Value::as_str), json.get("fields").and_then(Value::as_array))
    else {
        return Ok(Vec::new());
    };
    let name_of = |field: &Value| field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let missing: Vec<Value> = wanted
        .into_iter()
        .filter(|wanted| !there.iter().any(|field| name_of(field) == name_of(wanted)))
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let words = missing.iter().map(|field| format!("{}.{}", names.collection(collection), name_of(field)));
    let words = words.collect();
    // Their own fields go back exactly as they came: PocketBase takes the list as the whole truth.
    let fields: Vec<Value> = there.iter().cloned().chain(missing).collect();
    client
        .call(&Ask::patch(format!("/api/collections/{id}"), json!({"fields": fields})))
        .await?
        .ok(Doing::App)?;
    Ok(words)
}

/// A field of one of our names with another meaning is not written to.
fn check_fields(names: &BillingSettings, shape: &Shape) -> Result<(), Fault> {
    for (collection, _) in OWN_FIELDS.iter().filter(|(collection, _)| shape.has(collection)) {
        for definition in own_fields(names, collection) {
            if !shape.fits(collection, &definition) {
                let field = definition.get("name").and_then(Value::as_str).unwrap_or_default();
                let name = names.collection(collection);
                return Err(schema(format!(
                    "The billing app uses the field {field} of {name} for something else."
                ))
                .action(Action::FixSettings)
                .detail("the setting billing.fields gives ShopSync's field another name"));
            }
        }
    }
    Ok(())
}

/// How many writes a batch may have, and whether batches had to be switched on.
async fn ensure_batch(client: &Client) -> Result<(usize, bool), Fault> {
    let settings = client.call(&Ask::get("/api/settings")).await?.ok(Doing::App)?;
    let batch = settings.get("batch").cloned().unwrap_or_default();
    let number = |name: &str| batch.get(name).and_then(Value::as_u64).unwrap_or_default();
    let size = |allowed: u64| usize::try_from(allowed.clamp(1, BATCH_SIZE)).unwrap_or(1);
    if batch.get("enabled").and_then(Value::as_bool) == Some(true) {
        return Ok((size(number("maxRequests")), false));
    }
    let requests = number("maxRequests").max(BATCH_REQUESTS);
    let wanted = json!({"batch": {
        "enabled": true,
        "maxRequests": requests,
        "timeout": number("timeout").max(BATCH_SECONDS),
        "maxBodySize": number("maxBodySize"),
    }});
    let answer = client.call(&Ask::patch("/api/settings", wanted)).await?;
    // An app that refuses batches works without; each record is then a request of its own.
    if answer.is_ok() { Ok((size(requests), true)) } else { Ok((0, false)) }
}
