//! What happens in one scripted day only.

use std::path::PathBuf;

use shopsync::model::backup::BackupTask;
use shopsync::model::bill::{Row, Value};
use shopsync::model::command::Command;
use shopsync::model::schema::{DumpedColumn, DumpedTable};
use shopsync::ports::State as _;

use crate::acts::Act;
use crate::run::Week;
use crate::sim::lock;
use crate::store::at_once;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// RainTek's rows are those that were kept, and those of now are kept: another database.
    Swap,
    /// RainTek has new tables: one that invoices are written to, and another.
    Tables,
    /// Somebody asks for something of backups.
    Backup(BackupTask),
    /// All backups on the disk hold nothing.
    Damage,
    /// ShopSync's store is copied; the copy takes its place.
    KeepStore,
    OlderStore,
    /// What the store says of this cannot be read.
    Spoil(&'static str),
    /// Somebody asks for another number for this one.
    Renumber(&'static str),
    Act(Act),
    /// The app's list says so many paise more of each invoice than the invoice itself.
    ListSays(i64),
    /// The code of a product is another one's from now on.
    Recode(u32),
    /// RainTek's lines of this number have another barcode, and nothing else is changed.
    Barcode(&'static str),
    /// A bill of RainTek's gets the number of another one, as of a till that had read it too early.
    SameNumber {
        of: &'static str,
        now: &'static str,
    },
}

impl Week {
    pub(crate) async fn scene(&mut self, scene: Scene) {
        self.sim.say("scene", || format!("{scene:?}"));
        match scene {
            Scene::Swap => lock(&self.sim.db).swap(),
            Scene::Tables => {
                let column = DumpedColumn {
                    name: "Cess2".into(),
                    data_type: "decimal(18,2)".into(),
                    ..DumpedColumn::default()
                };
                let table = DumpedTable { columns: vec![column], ..DumpedTable::default() };
                let tables = &mut lock(&self.sim.truth).tables.tables;
                tables.extend(["InvoiceInfo", "Holidays"].map(|name| (name.to_owned(), table.clone())));
            }
            Scene::Backup(task) => self.command(Command::Backup { task }),
            Scene::Renumber(number) => self.command(Command::Renumber { number: number.into() }),
            Scene::ListSays(more) => lock(&self.sim.app).list_says = crate::goods::paise(more),
            Scene::Recode(product) => {
                let code = crate::goods::code(product);
                let mut db = lock(&self.sim.db);
                let Some(there) = db.products.values_mut().find(|there| there.code == code) else { return };
                let new = crate::raintek::Product { pid: 900, ..there.clone() };
                there.code = "OLD".into();
                db.products.insert(new.pid, new);
            }
            Scene::Barcode(number) => {
                {
                    let db = &mut *lock(&self.sim.db);
                    let ids = db.of_number(number);
                    let is_of = |row: &Row| ids.iter().any(|id| row.int("InvoiceID") == i64::from(*id));
                    for row in db.lines.values_mut().filter(|row| is_of(row)) {
                        row.0.insert("Barcode".into(), Value::Text("another".into()));
                    }
                }
                lock(&self.sim.truth).touched.insert(number.into(), self.sim.ms());
            }
            Scene::SameNumber { of, now } => {
                let db = &mut *lock(&self.sim.db);
                for row in db.infos.values_mut().filter(|row| row.text("InvoiceNo") == of) {
                    row.0.insert("InvoiceNo".into(), Value::Text(now.into()));
                }
                lock(&self.sim.truth).clashed = true;
            }
            Scene::Damage => {
                for file in lock(&self.sim.files).values_mut() {
                    file.rows = 0;
                    file.whole = false;
                }
            }
            Scene::Act(act) => self.act(act).await,
            Scene::KeepStore => {
                for (file, kept) in self.store_files() {
                    let _may_not_be_there = std::fs::copy(file, kept);
                }
            }
            Scene::OlderStore => {
                self.stop_engine().await;
                {
                    let truth = &mut *lock(&self.sim.truth);
                    truth.store = None;
                    // Nobody remembers when the last message went out.
                    truth.messages.clear();
                }
                for (file, kept) in self.store_files() {
                    let _may_not_be_there = (std::fs::remove_file(&file), std::fs::copy(kept, file));
                }
                self.start_at = Some(self.sim.ms() + 10);
            }
            Scene::Spoil(key) => {
                self.stop_engine().await;
                let store = lock(&self.sim.truth).store.clone();
                if let Some(store) = store {
                    let _said = at_once(store.set(key, Some("?")));
                }
                self.start_at = Some(self.sim.ms() + 10);
            }
        }
    }

    /// Each file of the store, and where its copy lies.
    fn store_files(&self) -> [(PathBuf, PathBuf); 3] {
        ["", "-wal", "-shm"].map(|end| {
            let mut file = self.store.clone().into_os_string();
            file.push(end);
            let mut kept = file.clone();
            kept.push(".kept");
            (file.into(), kept.into())
        })
    }
}
