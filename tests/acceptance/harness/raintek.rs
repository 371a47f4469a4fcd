//! RainTek: its server, its till, and what its tables hold.

use std::path::PathBuf;
use std::process::{Child, Command};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncWriteCompatExt as _;

use super::{SOON, eventually, free_port, sandbox, spawn};

/// Its SQL password.
pub(crate) const PASSWORD: &str = "RainTek-1";

/// RainTek's database server.
#[derive(Debug)]
pub(crate) struct RainTek {
    pub(crate) port: u16,
    pub(crate) control: u16,
    /// How its tables look: a choice of the sandbox.
    pub(crate) generation: &'static str,
    products: u32,
    folder: PathBuf,
    child: Option<Child>,
    http: reqwest::Client,
}

impl RainTek {
    pub(crate) fn new(folder: PathBuf, products: u32) -> Self {
        let (port, control) = (free_port(), free_port());
        Self {
            port,
            control,
            generation: "current",
            products,
            folder,
            child: None,
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("raintek.log")
    }

    /// Starts the server, on the same address and with the same data each time.
    pub(crate) async fn start(&mut self) {
        assert!(self.child.is_none(), "RainTek runs already");
        let mut command = Command::new(sandbox());
        command.args(["--port", &self.port.to_string(), "--control-port", &self.control.to_string()]);
        command.args(["--seed-products", &self.products.to_string(), "--password", PASSWORD]);
        command.args(["--generation", self.generation]);
        command.arg("--file").arg(self.folder.join("raintek.sqlite"));
        self.child = Some(spawn(&mut command, &self.log()));
        eventually("RainTek's server answers", SOON, async || self.state().await.is_some()).await;
    }

    /// Ends the server as a power cut does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.control)
    }

    /// What the server counts; nothing where it is away.
    pub(crate) async fn state(&self) -> Option<Value> {
        self.http.get(self.url("/state")).send().await.ok()?.json().await.ok()
    }

    /// Orders a fault.
    pub(crate) async fn order(&self, order: Value) {
        let answer = self.http.post(self.url("/control")).json(&order).send().await.unwrap();
        assert!(answer.status().is_success(), "{order}: {}", answer.text().await.unwrap());
    }

    /// Runs T-SQL in the server, as its owner would.
    pub(crate) async fn sql(&self, sql: &str) -> Value {
        let answer = self.http.post(self.url("/sql")).json(&json!({ "sql": sql })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"], json!([]), "{sql}");
        answer
    }

    /// All tables at one moment.
    pub(crate) async fn dump(&self) -> Dump {
        let tables = self.http.get(self.url("/dump")).send().await.unwrap().json().await.unwrap();
        Dump { tables, generation: self.generation }
    }

    /// Works at the till; what it says of each thing it did.
    pub(crate) async fn till(&self, arguments: &[&str]) -> Vec<Value> {
        let mut command = tokio::process::Command::new(sandbox());
        command.arg("till").args(arguments).args(["--port", &self.port.to_string(), "--password", PASSWORD]);
        let done = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "till {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks over TDS, as any client does.
    pub(crate) async fn query(&self, sql: &str) -> Vec<Row> {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(self.port);
        config.authentication(AuthMethod::sql_server("sa", PASSWORD));
        config.database("Raintech_DB1");
        config.encryption(EncryptionLevel::NotSupported);
        let tcp = TcpStream::connect(config.get_addr()).await.unwrap();
        let mut client = Client::connect(config, tcp.compat_write()).await.unwrap();
        let rows = client.simple_query(sql).await.unwrap().into_first_result().await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// One whole number over TDS.
    pub(crate) async fn count(&self, sql: &str) -> i32 {
        self.query(sql).await[0].get::<i32, _>(0).unwrap()
    }
}

impl Drop for RainTek {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What all tables held at one moment, as texts.
#[derive(Debug, Clone)]
pub(crate) struct Dump {
    tables: Value,
    pub(crate) generation: &'static str,
}

impl Dump {
    /// Every table.
    pub(crate) fn whole(&self) -> &Value {
        &self.tables
    }

    pub(crate) fn rows(&self, table: &str) -> &[Value] {
        self.tables[table].as_array().map_or(&[], Vec::as_slice)
    }

    /// The rows of a table in which a column has this text.
    pub(crate) fn with(&self, table: &str, column: &str, text: &str) -> Vec<&Value> {
        self.rows(table).iter().filter(|row| row[column] == text).collect()
    }

    /// The bills of one number.
    pub(crate) fn bills(&self, number: &str) -> Vec<&Value> {
        self.with("InvoiceInfo", "InvoiceNo", number)
    }

    pub(crate) fn product(&self, code: &str) -> &Value {
        let found = self.with("Product", "ProductCode", code);
        assert_eq!(found.len(), 1, "products of the code {code}");
        found[0]
    }

    pub(crate) fn customer(&self, id: &str) -> &Value {
        self.with("Customer", "ID", id)[0]
    }
}

/// A cell as a number.
pub(crate) fn number(row: &Value, column: &str) -> Decimal {
    let text = row[column].as_str().unwrap_or_else(|| panic!("{column} is {} in {row}", row[column]));
    text.parse().unwrap_or_else(|_| panic!("{column} is {text}"))
}
