//! A believable Indian shop, the same for the same seed.

use anyhow::Context;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::engine::shared::Shared;
use crate::sql::types::{Text, Ty};
use crate::sql::{natives, text, time};

/// When the shop opened; the day of everything seeded.
const OPENED: &str = "2025-04-01";

/// A shelf: its category, HSN code, GST rate, unit, lowest and highest price in rupees, and what lies on it.
struct Shelf {
    category: &'static str,
    name: &'static str,
    hsn: &'static str,
    gst: u32,
    unit: &'static str,
    price: (u64, u64),
    items: &'static [&'static str],
    sizes: &'static [&'static str],
}

const BRANDS: [&str; 12] = [
    "Tata",
    "Amul",
    "Aashirvaad",
    "Nandini",
    "Patanjali",
    "Britannia",
    "Haldiram",
    "Godrej",
    "Dabur",
    "MTR",
    "Camlin",
    "Everest",
];

const SHELVES: [Shelf; 12] = [
    Shelf {
        category: "Grocery",
        name: "Rice & Atta",
        hsn: "1006",
        gst: 5,
        unit: "KG",
        price: (38, 180),
        items: &["Basmati Rice", "Sona Masoori Rice", "Chakki Atta", "Idli Rava", "Poha"],
        sizes: &["1kg", "5kg", "10kg", "Loose"],
    },
    Shelf {
        category: "Grocery",
        name: "Dals",
        hsn: "0713",
        gst: 0,
        unit: "KG",
        price: (70, 240),
        items: &["Toor Dal", "Moong Dal", "Urad Dal", "Chana Dal", "Rajma"],
        sizes: &["500g", "1kg", "Loose"],
    },
    Shelf {
        category: "Grocery",
        name: "Oils & Ghee",
        hsn: "1512",
        gst: 5,
        unit: "LTR",
        price: (110, 720),
        items: &["Sunflower Oil", "Groundnut Oil", "Mustard Oil", "Cow Ghee"],
        sizes: &["500ml", "1L", "5L"],
    },
    Shelf {
        category: "Grocery",
        name: "Masala",
        hsn: "0910",
        gst: 5,
        unit: "PCS",
        price: (18, 160),
        items: &["Turmeric Powder", "Chilli Powder", "Garam Masala", "Sambar Powder", "Jeera"],
        sizes: &["50g", "100g", "200g"],
    },
    Shelf {
        category: "Snacks",
        name: "Biscuits",
        hsn: "1905",
        gst: 18,
        unit: "PCS",
        price: (5, 90),
        items: &["Marie Biscuits", "Glucose Biscuits", "Cream Biscuits", "Rusk", "Butter Cookies"],
        sizes: &["75g", "150g", "300g"],
    },
    Shelf {
        category: "Snacks",
        name: "Namkeen",
        hsn: "2106",
        gst: 12,
        unit: "PCS",
        price: (10, 220),
        items: &["Aloo Bhujia", "Mixture", "Moong Namkeen", "Banana Chips", "Murukku"],
        sizes: &["50g", "200g", "400g"],
    },
    Shelf {
        category: "Drinks",
        name: "Cold Drinks",
        hsn: "2202",
        gst: 28,
        unit: "BTL",
        price: (20, 110),
        items: &["Cola", "Lemon Soda", "Orange Drink", "Energy Drink"],
        sizes: &["250ml", "600ml", "2L"],
    },
    Shelf {
        category: "Drinks",
        name: "Tea & Coffee",
        hsn: "0902",
        gst: 5,
        unit: "PCS",
        price: (35, 480),
        items: &["Dust Tea", "Leaf Tea", "Filter Coffee", "Green Tea"],
        sizes: &["100g", "250g", "500g"],
    },
    Shelf {
        category: "Home Care",
        name: "Soap & Detergent",
        hsn: "3401",
        gst: 18,
        unit: "PCS",
        price: (10, 420),
        items: &["Bath Soap", "Detergent Powder", "Dish Wash Bar", "Floor Cleaner", "Hand Wash"],
        sizes: &["100g", "500g", "1kg"],
    },
    Shelf {
        category: "Stationery",
        name: "Pens & Books",
        hsn: "9608",
        gst: 12,
        unit: "PCS",
        price: (5, 150),
        items: &["Ball Pen Blue", "Gel Pen Black", "Pencil", "Long Note Book 200 pages", "Eraser"],
        sizes: &["Single", "Pack of 5", "Pack of 10"],
    },
    Shelf {
        category: "Fresh",
        name: "Milk & Curd",
        hsn: "0401",
        gst: 0,
        unit: "PKT",
        price: (24, 90),
        items: &["Toned Milk", "Full Cream Milk", "Curd", "Butter Milk"],
        sizes: &["200ml", "500ml", "1L"],
    },
    Shelf {
        category: "Electrical",
        name: "Lamps",
        hsn: "8539",
        gst: 18,
        unit: "NOS",
        price: (60, 900),
        items: &["LED Bulb 9W", "LED Bulb 12W", "Tube Light 20W", "Extension Box", "Night Lamp"],
        sizes: &["Cool", "Warm", "Twin Pack"],
    },
];

const CUSTOMERS: [(&str, &str, &str); 8] = [
    ("Cash", "", ""),
    ("Lakshmi Stores", "98450 12345", "Karnataka"),
    ("Ramesh Kumar", "+91-9845012346", "Karnataka"),
    ("Fathima Traders", "09845012347", ""),
    ("Chennai Super Mart", "+91 98400 55555", "Tamil Nadu"),
    ("John D'Souza", "9845012348 ", "Karnataka"),
    // the same telephone twice: the lowest ID is the customer
    ("Ramesh K (old)", "9845012346", "Karnataka"),
    ("श्री गणेश किराना", "91 9845012349", "Karnataka"),
];

/// Numbers that look like chance and are the same on every machine (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`; 0 for 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(u64::try_from(items.len()).unwrap_or(0))).unwrap_or(0);
        items.get(at)
    }
}

/// Fills an empty store; one that already knows its company is left as it is.
pub(crate) fn fill(shared: &Shared, products: u32, seed: u64) -> anyhow::Result<()> {
    let store = shared.take_connection()?;
    let known: i64 = store.query_row("SELECT count(*) FROM Company", [], |row| row.get(0))?;
    if known == 0 {
        // lots are written before their product, whose opening stock is their sum
        store.execute_batch("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON")?;
        let writer = Writer { store: &store, shared };
        shop(&writer)?;
        goods(&writer, products, seed)?;
        store.execute_batch("COMMIT")?;
    }
    shared.give_connection(store);
    Ok(())
}

fn shop(writer: &Writer<'_>) -> anyhow::Result<()> {
    writer.insert(
        "Company",
        &[
            ("ID", "1"),
            ("CompanyName", "Sri Venkateshwara Provision Stores"),
            ("Address", "14, 2nd Cross, Gandhi Bazaar"),
            ("City", "Bengaluru"),
            ("State", "Karnataka"),
            ("ContactNo", "080 2661 0000"),
            ("GSTIN", "29ABCDE1234F1Z5"),
            ("FYTo", "2026-03-31"),
            ("CurSym", "₹"),
        ],
    )?;
    // c10 empty: the suffix is the financial year of the bill
    writer.insert("Invcode", &[("ID", "1"), ("Code", "GST"), ("c10", "")])?;
    writer.insert("Autoroundoff", &[("ID", "1"), ("c1", "Yes")])?;
    writer.insert("Setting", &[("ID", "1"), ("SalesTax", "Exclusive")])?;
    for (&(name, phone, state), id) in CUSTOMERS.iter().zip(1..) {
        let (id, key) = (id.to_string(), format!("C-{id:04}"));
        writer.insert(
            "Customer",
            &[
                ("ID", &id),
                ("CustomerID", &key),
                ("Name", name),
                ("ContactNo", phone),
                ("State", state),
                ("Optype", "DR"),
                ("Status", "Activated"),
                ("Lstatus", "No"),
                ("DiscStatus", "No"),
            ],
        )?;
    }
    let mut categories: Vec<&str> = Vec::new();
    for (shelf, id) in SHELVES.iter().zip(1..) {
        if !categories.contains(&shelf.category) {
            categories.push(shelf.category);
            writer.insert(
                "Category",
                &[("ID", &categories.len().to_string()), ("CategoryName", shelf.category)],
            )?;
        }
        writer.insert(
            "SubCategory",
            &[
                ("ID", &id.to_string()),
                ("SubCategoryName", shelf.name),
                ("Category", shelf.category),
                ("IsDefault", "No"),
            ],
        )?;
    }
    Ok(())
}

fn goods(writer: &Writer<'_>, products: u32, seed: u64) -> anyhow::Result<()> {
    let mut chance = Chance::new(seed);
    let (mut lot_id, mut stock_id) = (0_u64, 0_u64);
    let shelves = u32::try_from(SHELVES.len())?;
    for pid in 1..=products {
        let shelf = SHELVES.get(usize::try_from((pid - 1) % shelves)?).context("a shelf")?;
        // every name is there once: item, size and brand turn like the wheels of a counter
        let round = usize::try_from((pid - 1) / shelves)?;
        let (items, sizes) = (shelf.items.len(), shelf.sizes.len());
        let item = shelf.items.get(round % items).context("an item")?;
        let size = shelf.sizes.get(round / items % sizes).context("a size")?;
        let brand = BRANDS.get(round / (items * sizes) % BRANDS.len()).context("a brand")?;
        let series = round / (items * sizes * BRANDS.len());
        let mut name = format!("{brand} {item} {size}");
        if series > 0 {
            name.push_str(&format!(" No. {}", series + 1));
        }
        let paise = (shelf.price.0 * 100 + chance.below((shelf.price.1 - shelf.price.0) * 100)) / 25 * 25;
        let tax_mode = match chance.below(20) {
            0..=11 => "Inclusive",
            12..=17 => "Exclusive",
            18 => "Exempt GST",
            _ => "No Taxes",
        };
        let gst = if matches!(tax_mode, "Inclusive" | "Exclusive") { shelf.gst } else { 0 };
        let half = decimal(u64::from(gst) * 50);
        let weighed = shelf.unit == "KG" && *size == "Loose";
        let product = Product { pid, paise, mrp: paise + paise / 10, unit: shelf.unit, weighed };
        let stock = lots(writer, &product, &mut chance, &mut lot_id, &mut stock_id)?;
        let code = format!("P-{pid:04}");
        let barcode = if chance.one_in(10) { barcode(pid, 9) } else { "0".to_owned() };
        writer.insert(
            "Product",
            &[
                ("PID", &pid.to_string()),
                ("ProductCode", &code),
                ("ProductName", &name),
                ("SubCategoryID", &((pid - 1) % shelves + 1).to_string()),
                ("HSNCode", shelf.hsn),
                ("CostPrice", &decimal(paise * 8 / 10)),
                ("SellingPrice", &decimal(paise)),
                ("CGST", &half),
                ("SGST", &half),
                ("VAT", &decimal(u64::from(gst) * 100)),
                ("Barcode", &barcode),
                ("ReorderPoint", &decimal(paise * 9 / 10)),
                ("OpeningStock", &stock),
                ("PurchaseUnit", shelf.unit),
                ("SalesUnit", shelf.unit),
                ("MinStock", "5"),
                ("MRP", &decimal(product.mrp)),
                ("Status", if chance.one_in(25) { "No" } else { "Yes" }),
                ("STax", tax_mode),
                ("PTax", "Exclusive"),
                ("DefQty", "1"),
            ],
        )?;
    }
    Ok(())
}

struct Product {
    pid: u32,
    paise: u64,
    mrp: u64,
    unit: &'static str,
    weighed: bool,
}

/// None to three lots, each with its own barcode, and the live stock of each; gives back the sum.
fn lots(
    writer: &Writer<'_>,
    product: &Product,
    chance: &mut Chance,
    lot_id: &mut u64,
    stock_id: &mut u64,
) -> anyhow::Result<String> {
    let count = if chance.one_in(12) { 0 } else { 1 + chance.below(3) };
    let mut thousandths = 0;
    for lot in 0..count {
        *lot_id += 1;
        *stock_id += 1;
        let fraction = if product.weighed { chance.below(4) * 250 } else { 0 };
        let quantity = (5 + chance.below(200)) * 1000 + fraction;
        thousandths += quantity;
        let code = if chance.one_in(8) { "0".to_owned() } else { barcode(product.pid, lot) };
        let (qty, mrp) = (thousandth(quantity), decimal(product.mrp + lot * 100));
        let (pid, price) = (product.pid.to_string(), decimal(product.paise));
        let batch = format!("B{:03}-{}", lot + 1, product.unit);
        writer.insert(
            "Product_OpeningStock",
            &[
                ("ID", &lot_id.to_string()),
                ("ProductID", &pid),
                ("Qty", &qty),
                ("MRP", &mrp),
                ("SalePrice", &price),
                ("WSalePrice", &decimal(product.paise * 9 / 10)),
                ("Batch", &batch),
                ("Barcode", &code),
                ("PPrice", &decimal(product.paise * 8 / 10)),
            ],
        )?;
        writer.insert(
            "Temp_Stock",
            &[
                ("Id", &stock_id.to_string()),
                ("ProductID", &pid),
                ("Qty", &qty),
                ("Barcode", &code),
                ("SalePrice", &price),
                ("MRP", &mrp),
                ("Batch", &batch),
                ("SPrice", &price),
            ],
        )?;
    }
    Ok(thousandth(thousandths))
}

/// An EAN-13 of India (890), with its check digit.
fn barcode(pid: u32, lot: u64) -> String {
    let digits = format!("890{:08}{}", pid, lot % 10);
    let sum: u32 = digits
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn decimal(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn thousandth(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

/// Writes whole rows: what is not given gets its neutral value, never NULL.
struct Writer<'a> {
    store: &'a Connection,
    shared: &'a Shared,
}

impl Writer<'_> {
    fn insert(&self, table: &str, fields: &[(&str, &str)]) -> anyhow::Result<()> {
        // A generation without the table has nothing to keep there.
        let Some(table) = self.shared.catalog().table(table).cloned() else { return Ok(()) };
        let mut values = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let given = fields.iter().find(|(name, _)| *name == column.name).map(|(_, value)| *value);
            values.push(stored(column.ty, given).with_context(|| format!("{}.{}", table.name, column.name))?);
        }
        let marks: Vec<String> = (1..=values.len()).map(|at| format!("?{at}")).collect();
        self.store
            .prepare_cached(&format!("INSERT INTO \"{}\" VALUES ({})", table.store, marks.join(", ")))?
            .execute(rusqlite::params_from_iter(values))?;
        Ok(())
    }
}

fn stored(ty: Ty, given: Option<&str>) -> anyhow::Result<Value> {
    Ok(match ty {
        Ty::Str(Text { fixed, max, .. }) => {
            let word = given.unwrap_or_default();
            match max {
                Some(max) if fixed => Value::Text(text::pad(word, usize::from(max))),
                _ => Value::Text(word.to_owned()),
            }
        }
        Ty::Dec { p, s } => {
            let (number, scale) = natives::parse_decimal(given.unwrap_or("0")).context("not a decimal")?;
            natives::rescale(number, scale, i64::from(p), i64::from(s))?
        }
        Ty::DateTime | Ty::Date => {
            Value::Integer(time::parse(given.unwrap_or(OPENED)).context("not a date")?)
        }
        Ty::Image | Ty::Bin(_) => Value::Blob(Vec::new()),
        Ty::Float => Value::Real(0.0),
        _ => Value::Integer(given.unwrap_or("0").parse()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Options;

    #[test]
    fn the_same_seed_gives_the_same_shop_and_no_name_twice() {
        let names = |seed| {
            let folder = tempfile::tempdir().unwrap();
            let shared =
                Shared::open(&Options { file: folder.path().join("shop.sqlite"), ..Options::default() })
                    .unwrap();
            fill(&shared, 900, seed).unwrap();
            let store = shared.take_connection().unwrap();
            let mut statement =
                store.prepare("SELECT ProductName || SellingPrice FROM Product ORDER BY PID").unwrap();
            let all: Vec<String> =
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let twice: i64 = store
                .query_row("SELECT count(*) - count(DISTINCT ProductName) FROM Product", [], |row| row.get(0))
                .unwrap();
            assert_eq!(twice, 0);
            all
        };
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
    }

    #[test]
    fn barcodes_carry_their_check_digit() {
        // 8 + 3 x 9 + 1 = 36
        assert_eq!(barcode(1, 0), "8900000000104");
    }
}
