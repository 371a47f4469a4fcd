//! Products, RainTek -> app: what to write so that the app shows what RainTek sells. Nothing is ever deleted.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use rust_decimal::Decimal;

use super::digest::hex_digest;
use crate::model::ids::RecordId;
use crate::model::money::{MONEY_SCALE, PERCENT_SCALE, QUANTITY_SCALE, largest, r2};
use crate::model::product::{AppProduct, PosProduct, ProductFields, ProductProblem, ProductWrite};
use crate::model::texts::{Place, Texts};
use crate::model::words::one_line;

/// What the app holds, as small as it can be kept: remembered between passes so that one without changes reads
/// nothing from the app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Code -> product; nothing where a phone's code was given up for RainTek's.
    by_code: Texts<Option<HeldProduct>>,
    /// Barcode -> code, of products that a phone added.
    unlinked_barcodes: HashMap<Box<str>, Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct HeldProduct {
    id: RecordId,
    hash: u64,
    linked: bool,
    active: bool,
}

/// What a pass is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CataloguePlan {
    /// Write these; an empty list is a pass without changes.
    Write {
        /// In RainTek's order.
        writes: Vec<ProductWrite>,
        /// Rows that are not taken over, or not whole.
        problems: Vec<ProductProblem>,
    },
    /// RainTek shows less than half of what it did: nothing is written until it does again.
    Suspicious {
        /// Rows shown now.
        shown: usize,
        /// Products known to be in use.
        known: usize,
    },
}

impl CataloguePlan {
    /// Whether products would be created: what is remembered of the app does not know what a phone added since.
    pub fn makes_new(&self) -> bool {
        let Self::Write { writes, .. } = self else { return false };
        writes.iter().any(|write| matches!(write, ProductWrite::Create { .. }))
    }
}

impl Held {
    /// From everything the app holds.
    pub fn from_app(products: &[AppProduct]) -> Self {
        let mut held = Self::default();
        products.iter().for_each(|product| held.add(product));
        held
    }

    /// Takes over one that the app holds.
    pub fn add(&mut self, product: &AppProduct) {
        let linked = !product.pos_id.is_empty();
        let code: Box<str> = product.code.as_str().into();
        if !linked && !product.barcode.is_empty() {
            self.unlinked_barcodes.insert(product.barcode.as_str().into(), code.clone());
        }
        let hash = product.fields.as_ref().map_or(0, fields_hash);
        let entry = HeldProduct { id: product.id.clone(), hash, linked, active: product.active };
        self.by_code.set(&code, Some(entry));
    }

    fn product(&self, code: &str) -> Option<&HeldProduct> {
        self.by_code.get(code)?.as_ref()
    }

    /// All with their codes.
    fn products(&self) -> impl Iterator<Item = (&str, &HeldProduct)> {
        self.by_code.iter().filter_map(|(code, product)| Some((code, product.as_ref()?)))
    }

    /// Takes over a write that the app confirmed.
    pub fn confirm(&mut self, write: &ProductWrite) {
        match write {
            ProductWrite::Create { id, fields } | ProductWrite::Update { id, fields } => {
                // A product linked by its barcode gives up the code the phone gave it.
                if let Some(code) = self.unlinked_barcodes.remove(fields.barcode.as_str())
                    && self.product(&code).is_some_and(|held| held.id == *id)
                {
                    self.by_code.set(&code, None);
                }
                let (hash, active) = (fields_hash(fields), fields.active);
                self.by_code
                    .set(&fields.code, Some(HeldProduct { id: id.clone(), hash, linked: true, active }));
            }
            ProductWrite::Deactivate { id } => {
                if let Some(held) = self.by_code.values_mut().flatten().find(|held| held.id == *id) {
                    held.active = false;
                    held.hash = 0;
                }
            }
        }
    }
}

/// Compares RainTek's rows with what the app holds, in the order of PID: the lowest wins where two claim one code or
/// barcode.
pub fn plan_products(rows: &[PosProduct], held: &Held) -> CataloguePlan {
    let mut order: Vec<&PosProduct> = rows.iter().collect();
    order.sort_by_key(|row| row.pid);
    let mut comparison = Comparison::new(held);
    order.into_iter().for_each(|row| comparison.take(row));
    comparison.finish()
}

/// The same row by row, keeping of each no more than what later ones need to know.
#[derive(Debug)]
pub struct Comparison<'a> {
    held: &'a Held,
    shown: usize,
    /// Code -> the PID that has it. Only first ones are compared.
    codes: Texts<i32>,
    /// Barcode -> the code of the product that is found by it.
    barcodes: Texts<Place>,
    linked_by_barcode: HashSet<&'a str>,
    writes: Vec<ProductWrite>,
    problems: Vec<ProductProblem>,
}

impl<'a> Comparison<'a> {
    /// Nothing was shown yet.
    pub fn new(held: &'a Held) -> Self {
        // Most passes show what the last one did.
        let many = held.by_code.len();
        Self {
            held,
            shown: 0,
            codes: Texts::for_about(many),
            barcodes: Texts::for_about(many),
            linked_by_barcode: HashSet::new(),
            writes: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The next row, of a higher PID than those before.
    pub fn take(&mut self, row: &PosProduct) {
        self.shown += 1;
        let Some(fields) = self.wanted(row) else { return };
        let held = self.held;
        if let Some(product) = held.product(&fields.code) {
            if product.hash != fields_hash(&fields) {
                self.writes.push(ProductWrite::Update { id: product.id.clone(), fields });
            }
            return;
        }
        let phone_code =
            held.unlinked_barcodes.get(fields.barcode.as_str()).filter(|_| !fields.barcode.is_empty());
        let phone_product = phone_code.and_then(|code| held.product(code));
        self.writes.push(match (phone_code, phone_product) {
            (Some(code), Some(product)) if self.linked_by_barcode.insert(code) => {
                ProductWrite::Update { id: product.id.clone(), fields }
            }
            _ => ProductWrite::Create { id: record_id(&fields.code), fields },
        });
    }

    /// How many rows were taken.
    pub fn shown(&self) -> usize {
        self.shown
    }

    /// All rows were taken.
    pub fn finish(mut self) -> CataloguePlan {
        let in_use = || self.held.products().filter(|(_, product)| product.linked && product.active);
        let known = in_use().count();
        if self.shown * 2 < known {
            return CataloguePlan::Suspicious { shown: self.shown, known };
        }
        let mut gone: Vec<&HeldProduct> =
            in_use().filter(|(code, _)| self.codes.get(code).is_none()).map(|(_, product)| product).collect();
        gone.sort_by(|left, right| left.id.cmp(&right.id));
        self.writes
            .extend(gone.into_iter().map(|product| ProductWrite::Deactivate { id: product.id.clone() }));
        CataloguePlan::Write { writes: self.writes, problems: self.problems }
    }

    /// A row as it is to stand in the app, or why it is not taken over.
    fn wanted(&mut self, row: &PosProduct) -> Option<ProductFields> {
        let code = row.code.as_deref().map_or("", str::trim);
        let problems = &mut self.problems;
        let mut report = |sentence: String| {
            problems.push(ProductProblem { pid: row.pid, code: code.to_owned(), sentence });
        };
        if code.is_empty() {
            report(format!("Product {} has no code.", row.pid));
            return None;
        }
        let place = match self.codes.add(code, row.pid) {
            Ok(place) => place,
            Err(first) => {
                report(format!(
                    "Code {} is used by products {first} and {}; only the first is taken.",
                    one_line(code, SAID),
                    row.pid
                ));
                return None;
            }
        };
        let Some(name) = row.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) else {
            report(format!("Product {} has no name.", one_line(code, SAID)));
            return None;
        };
        let (said, called) = (one_line(code, SAID), one_line(name, SAID));
        let Some(price) = row.price.filter(|price| usable(*price, MONEY_SCALE)) else {
            report(format!("Product {said} ({called}) has no usable price."));
            return None;
        };
        let Some(gst_rate) = row.gst_rate.filter(|rate| usable(*rate, PERCENT_SCALE)) else {
            report(format!("Product {said} ({called}) has no usable GST rate."));
            return None;
        };
        let own = Some(row.barcode.trim()).filter(|barcode| !matches!(*barcode, "" | "0"));
        let mut barcode = row.lot_barcode.as_deref().map(str::trim).or(own).unwrap_or_default();
        if !barcode.is_empty()
            && let Err(first) = self.barcodes.add(barcode, place)
        {
            let first = self.codes.text(*first).unwrap_or_default();
            let (scanned, first) = (one_line(barcode, SAID), one_line(first, SAID));
            report(format!("Barcode {scanned} of {said} is also on {first}; scanning it finds {first}."));
            barcode = "";
        }
        let mrp = r2(row.lot_mrp.or(row.mrp).unwrap_or_default());
        if mrp.abs() > largest(MONEY_SCALE) {
            report(format!("Product {said} ({called}) has no usable MRP."));
        }
        Some(ProductFields {
            code: code.to_owned(),
            pos_id: row.pid.to_string(),
            name: name.to_owned(),
            retail_price: price,
            mrp: if mrp.abs() > largest(MONEY_SCALE) { Decimal::ZERO } else { mrp },
            barcode: barcode.to_owned(),
            current_stock: row.stock.round_dp(QUANTITY_SCALE),
            hsn_code: row.hsn.trim().to_owned(),
            gst_rate,
            unit: row.unit.trim().to_owned(),
            active: row.active,
        })
    }
}

/// A product's record id follows from its code, so that a create whose answer was lost is recognised.
fn record_id(code: &str) -> RecordId {
    RecordId::new(hex_digest(&("product", code)).chars().take(15).collect::<String>())
}

fn fields_hash(fields: &ProductFields) -> u64 {
    let mut hasher = DefaultHasher::new();
    fields.hash(&mut hasher);
    // 0 stands for "unreadable in the app", which equals nothing.
    hasher.finish().max(1)
}

/// Characters of a code or name within a sentence.
const SAID: usize = 60;

/// A number that the app gives back as it was given: one that it does not is written anew in each pass.
fn usable(value: Decimal, scale: u32) -> bool {
    value >= Decimal::ZERO && value <= largest(scale) && value.round_dp(scale) == value
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
