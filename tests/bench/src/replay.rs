//! The program's own statements, asked again by a bare client.

use chrono::NaiveDateTime;
use rust_decimal::Decimal;
use serde::Deserialize;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Query};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use crate::harness::raintek::{PASSWORD, RainTek};

pub(crate) type Bare = Client<Compat<TcpStream>>;

/// A request as the sandbox wrote it down.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asked {
    session: u16,
    pub(crate) began: u64,
    pub(crate) done: u64,
    kind: String,
    #[serde(default)]
    pub(crate) sql: String,
    #[serde(default)]
    declarations: String,
    #[serde(default)]
    values: Vec<(String, Option<String>)>,
}

/// A transaction that was committed, without its beginning and its end.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) began: u64,
    /// When the server had committed it.
    pub(crate) committed: u64,
    requests: Vec<Asked>,
}

impl Transaction {
    /// From the server's first word of it to its commit, in milliseconds.
    pub(crate) fn took(&self) -> f64 {
        (self.committed - self.began) as f64 / 1e3
    }

    /// Whether two asked for the very same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let words = |of: &Self| -> Vec<_> {
            let asked = of.requests.iter();
            asked.map(|asked| (asked.sql.clone(), asked.declarations.clone(), asked.values.clone())).collect()
        };
        words(self) == words(other)
    }
}

fn control(raintek: &RainTek, path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", raintek.control)
}

/// From now on the server writes down what it is asked.
pub(crate) async fn record(raintek: &RainTek) {
    raintek.order(serde_json::json!({"action": "record"})).await;
}

/// No longer: to keep all of a scan takes time and memory.
pub(crate) async fn stop_recording(raintek: &RainTek) {
    raintek.order(serde_json::json!({"action": "stop_recording"})).await;
}

/// What it was asked since the last time this was called.
pub(crate) async fn recorded(raintek: &RainTek) -> Vec<Asked> {
    reqwest::get(control(raintek, "/recorded")).await.unwrap().json().await.unwrap()
}

/// The transactions that were committed, in that order.
pub(crate) fn transactions(all: Vec<Asked>) -> Vec<Transaction> {
    let mut open: std::collections::HashMap<u16, Transaction> = std::collections::HashMap::new();
    let mut committed = Vec::new();
    for asked in all {
        match asked.kind.as_str() {
            "begin" => {
                let begun = Transaction { began: asked.began, committed: 0, requests: Vec::new() };
                open.insert(asked.session, begun);
            }
            "commit" => committed.extend(
                open.remove(&asked.session).map(|begun| Transaction { committed: asked.done, ..begun }),
            ),
            "rollback" => {
                open.remove(&asked.session);
            }
            _ => {
                if let Some(open) = open.get_mut(&asked.session) {
                    open.requests.push(asked);
                }
            }
        }
    }
    committed
}

/// A client that does nothing else.
pub(crate) async fn connect(raintek: &RainTek) -> Bare {
    let mut config = Config::new();
    config.host("127.0.0.1");
    config.port(raintek.port);
    config.authentication(AuthMethod::sql_server("sa", PASSWORD));
    config.database("Raintech_DB1");
    config.encryption(EncryptionLevel::NotSupported);
    let tcp = TcpStream::connect(config.get_addr()).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut client = Client::connect(config, tcp.compat_write()).await.unwrap();
    batch(&mut client, "SET XACT_ABORT ON; SET LOCK_TIMEOUT 10000;").await;
    client
}

/// A batch without parameters, all of whose rows are read.
pub(crate) async fn batch(client: &mut Bare, sql: &str) -> usize {
    let results = client.simple_query(sql).await.unwrap().into_results().await.unwrap();
    results.iter().map(Vec::len).sum()
}

/// Asks the same in one transaction; returns when the server has said that it is committed.
pub(crate) async fn replay(client: &mut Bare, transaction: &Transaction) {
    client.begin_transaction().await.unwrap();
    for asked in &transaction.requests {
        if asked.kind == "batch" {
            batch(client, &asked.sql).await;
            continue;
        }
        let mut query = Query::new(&asked.sql);
        for (kind, value) in &asked.values {
            bind(&mut query, kind, value.as_deref());
        }
        query.query(client).await.unwrap().into_results().await.unwrap();
    }
    client.commit_transaction().await.unwrap();
}

fn bind(query: &mut Query<'_>, kind: &str, value: Option<&str>) {
    match kind {
        "int" => query.bind(value.map(|text| text.parse::<i32>().unwrap())),
        "bigint" => query.bind(value.map(|text| text.parse::<i64>().unwrap())),
        "decimal" => query.bind(value.map(|text| text.parse::<Decimal>().unwrap())),
        "bit" => query.bind(value.map(|text| text == "1")),
        "float" => query.bind(value.map(|text| text.parse::<f64>().unwrap())),
        "nvarchar" => query.bind(value.map(str::to_owned)),
        "datetime2" | "datetime" => {
            let time = |text| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap();
            query.bind(value.map(time));
        }
        "varbinary" => query.bind(value.map(bytes)),
        other => panic!("the program sends no {other}"),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.trim_start_matches("0x");
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap()).collect()
}
