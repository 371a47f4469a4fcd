//! A shop's own app, as somebody else made it: collections, rules, indexes, hooks, numbering, users, data.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Child;

use crate::pocketbase::{Caller, Shop, program, start_service, until};

const MIGRATION: &str = r#"/// <reference path="../pb_data/types.d.ts" />
migrate((app) => {
  const users = app.findCollectionByNameOrId("users")
  users.fields.add(new SelectField({ name: "role", values: ["cashier", "owner"], maxSelect: 1 }))
  users.listRule = "@request.auth.role = 'owner' || id = @request.auth.id"
  app.save(users)
  const cashier = "@request.auth.role = 'cashier' || @request.auth.role = 'owner'"
  const make = (name, fields, rules, indexes) => {
    const made = new Collection(Object.assign({ type: "base", name: name, fields: fields, indexes: indexes || [] }, rules))
    app.save(made)
    return made
  }
  const text = (name) => ({ name: name, type: "text" })
  const number = (name) => ({ name: name, type: "number" })
  const rules = { listRule: cashier, viewRule: cashier, createRule: cashier, updateRule: cashier, deleteRule: null }
  const products = make("products", [text("product_code"), text("name"), number("retail_price"), number("mrp"), text("barcode"),
    number("current_stock"), text("hsn_code"), number("gst_rate"), text("unit"), { name: "active", type: "bool" }, text("shelf")],
    Object.assign({}, rules, { listRule: "", viewRule: "" }), ["CREATE UNIQUE INDEX `idx_code` ON `products` (`product_code`)"])
  const customers = make("customers", [text("name"), text("phone"), text("gstin")], rules)
  const invoices = make("bills", [text("invoice_number"), { name: "invoice_date", type: "date" },
    { name: "state", type: "select", values: ["draft", "completed", "revised", "cancelled"], maxSelect: 1 }, text("tax_type"),
    { name: "customer", type: "relation", collectionId: customers.id, maxSelect: 1 }, number("item_count"), number("taxable_amount"),
    number("cgst"), number("sgst"), number("grand_total"), number("amount_paid"), text("payment_method"), text("cashier"),
    { name: "created", type: "autodate", onCreate: true }], rules, ["CREATE INDEX `idx_day` ON `bills` (`invoice_date`)"])
  make("invoice_items", [{ name: "invoice", type: "relation", collectionId: invoices.id, maxSelect: 1, required: true, cascadeDelete: true },
    { name: "product", type: "relation", collectionId: products.id, maxSelect: 1 }, text("product_name"), number("quantity"),
    number("rate"), number("taxable"), number("total")], rules)
  make("counters", [text("name"), number("value")], Object.assign({}, rules, { createRule: null, updateRule: null }))
  make("shelves", [text("label")], { listRule: "", viewRule: "" })
}, (app) => {})
"#;

const HOOK: &str = r#"/// <reference path="../pb_data/types.d.ts" />
onRecordCreate((e) => {
  if (e.record.getString("state") === "completed" && !e.record.getString("invoice_number")) {
    const tools = require(`${__hooks}/tools.js`)
    e.record.set("invoice_number", tools.next(e.app, "invoice_gst"))
  }
  e.next()
}, "bills")
routerAdd("GET", "/api/shelf/{label}", (e) => e.json(200, { shelf: e.request.pathValue("label") }))
"#;

const TOOLS: &str = r#"module.exports = {
  next: (app, name) => {
    const counter = app.findFirstRecordByData("counters", "name", name)
    counter.set("value", counter.getInt("value") + 1)
    app.save(counter)
    return "S-" + counter.getInt("value") + "-26"
  },
}
"#;

/// The app's folder, laid down and stopped.
#[derive(Debug)]
pub(crate) struct ForeignApp {
    pub(crate) folder: PathBuf,
    pub(crate) before: BTreeMap<PathBuf, Vec<u8>>,
    pub(crate) collections: BTreeMap<String, Value>,
}

impl ForeignApp {
    /// Makes the app with its data, and tells the shop's settings of it.
    pub(crate) async fn lay(shop: &mut Shop) -> Self {
        let folder = shop.folder.path().join("shop app");
        for (name, text) in [
            ("pb_migrations/1690000000_start.js", MIGRATION),
            ("pb_hooks/main.pb.js", HOOK),
            ("pb_hooks/tools.js", TOOLS),
            ("pb_public/index.html", "<h1>Our shop</h1>"),
            ("start.bat", "pocketbase.exe serve"),
        ] {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        shop.settings.folder = Some(folder.clone());
        shop.settings.collections.insert("invoices".into(), "bills".into());
        shop.settings.fields.insert("invoices".into(), [("status".to_owned(), "state".to_owned())].into());
        let done = std::process::Command::new(program())
            .args(["superuser", "upsert", "owner@shop.in", "owner-12345", "--dir"])
            .arg(folder.join("pb_data"))
            .output();
        assert!(done.unwrap().status.success());

        let mut service = Self::serve(shop, &folder).await;
        let owner = Self::owner(shop).await;
        let phone = json!({"email": "asha@shop.in", "password": "asha-12345", "passwordConfirm": "asha-12345", "role": "cashier"});
        owner.make("users", phone).await;
        owner.make("counters", json!({"name": "invoice_gst", "value": 41})).await;
        owner
            .make(
                "products",
                json!({"product_code": "P-1", "name": "Rice", "retail_price": 55.5, "active": true}),
            )
            .await;
        owner
            .make("bills", json!({"state": "completed", "invoice_date": "2026-11-20", "grand_total": 10}))
            .await;
        let collections = owner.collections().await;
        service.kill().await.unwrap();
        let before = crate::pocketbase::files(&folder);
        Self { folder, before, collections }
    }

    /// Starts it as its own service.
    pub(crate) async fn serve(shop: &Shop, folder: &Path) -> Child {
        let service = start_service(folder, shop.port);
        until("the shop's own service answers", async || shop.is_up().await).await;
        service
    }

    pub(crate) async fn owner(shop: &Shop) -> Caller {
        shop.sign_in("_superusers", "owner@shop.in", "owner-12345").await
    }

    pub(crate) async fn phone(shop: &Shop) -> Caller {
        shop.sign_in("users", "asha@shop.in", "asha-12345").await
    }

    /// Nothing of theirs is different: files byte for byte, collections but for our fields.
    pub(crate) async fn assert_untouched(&self, shop: &Shop) {
        let now = crate::pocketbase::files(&self.folder);
        for (name, content) in &self.before {
            assert!(now.get(name) == Some(content), "{} changed", name.display());
        }
        let mut now = Self::owner(shop).await.collections().await;
        assert_eq!(now.keys().collect::<Vec<_>>(), self.collections.keys().collect::<Vec<_>>());
        for (name, before) in &self.collections {
            let now = now.get_mut(name).unwrap();
            now["updated"] = before["updated"].clone();
            now["fields"]
                .as_array_mut()
                .unwrap()
                .retain(|field| !field["id"].as_str().unwrap().starts_with("shopsync_"));
            assert_eq!(now, before, "{name}");
        }
    }
}
