//! Products on both sides.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{ProductId, RecordId};

/// A row of RainTek's `Product` with what its lots and stock add, trimmed but not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PosProduct {
    /// `PID`.
    pub pid: ProductId,
    /// `ProductCode`; `None` is a NULL.
    pub code: Option<String>,
    /// `ProductName`.
    pub name: Option<String>,
    /// `HSNCode`.
    pub hsn: String,
    /// `SalesUnit`.
    pub unit: String,
    /// `SellingPrice`.
    pub price: Option<Decimal>,
    /// `Product.MRP`.
    pub mrp: Option<Decimal>,
    /// `Product.Barcode`, mostly `0`.
    pub barcode: String,
    /// `CGST` and `SGST` together; `None` where either is NULL.
    pub gst_rate: Option<Decimal>,
    /// `Status` is not `No`.
    pub active: bool,
    /// The newest lot's MRP above 0.
    pub lot_mrp: Option<Decimal>,
    /// The newest lot's barcode that is neither empty nor `0`.
    pub lot_barcode: Option<String>,
    /// Sum of the quantities after the `stock` setting.
    pub stock: Decimal,
}

/// A product as it is to stand in the app: our fields only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProductFields {
    /// `product_code`, trimmed.
    pub code: String,
    /// `raintek_product_id`.
    pub pos_id: String,
    /// `name`.
    pub name: String,
    /// `retail_price`, two decimals.
    pub retail_price: Decimal,
    /// `mrp`, two decimals.
    pub mrp: Decimal,
    /// `barcode`, may be empty.
    pub barcode: String,
    /// `current_stock`, three decimals.
    pub current_stock: Decimal,
    /// `hsn_code`.
    pub hsn_code: String,
    /// `gst_rate`, percent.
    pub gst_rate: Decimal,
    /// `unit`.
    pub unit: String,
    /// `active`.
    pub active: bool,
}

/// A record of the app's `products`. A number that is no exact decimal reads as `None` fields never equal to ours,
/// so that it is written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppProduct {
    /// The app's record.
    pub id: RecordId,
    /// What it holds, where all of it is readable.
    pub fields: Option<ProductFields>,
    /// `product_code`, trimmed.
    pub code: String,
    /// `barcode`, trimmed.
    pub barcode: String,
    /// `raintek_product_id`, trimmed: empty for one that was added on a phone.
    pub pos_id: String,
    /// `active`.
    pub active: bool,
}

/// One write into the app's `products`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductWrite {
    /// A product the app does not have. The id is ours to choose, so that a lost answer cannot make it twice.
    Create {
        /// 15 characters of `[a-z0-9]`.
        id: RecordId,
        /// All fields.
        fields: ProductFields,
    },
    /// All our fields of a record; also links one that a phone added.
    Update {
        /// The app's record.
        id: RecordId,
        /// All fields.
        fields: ProductFields,
    },
    /// `active` off, nothing else.
    Deactivate {
        /// The app's record.
        id: RecordId,
    },
}

/// A row of RainTek that is not taken over, or not whole, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductProblem {
    /// `PID`.
    pub pid: ProductId,
    /// `ProductCode` as far as there is one.
    pub code: String,
    /// One plain sentence.
    pub sentence: String,
}
