//! A shop to test against, and tiberius the way the product uses it.
#![expect(dead_code, reason = "each test file uses its own part of this")]

use std::time::Duration;

use raintek_sandbox::{Generation, Options, Sandbox, Tls};
use serde_json::{Value, json};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

pub(crate) type Sql = Client<Compat<TcpStream>>;

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

pub(crate) fn shop(products: u32) -> Shop {
    shop_by(Options { seed_products: products, ..Options::default() })
}

pub(crate) fn shop_with(products: u32, tls: Tls) -> Shop {
    shop_by(Options { seed_products: products, tls, ..Options::default() })
}

pub(crate) fn shop_of(generation: Generation, products: u32) -> Shop {
    shop_by(Options { seed_products: products, generation, ..Options::default() })
}

fn shop_by(options: Options) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { file: folder.path().join("shop.sqlite"), ..options };
    Shop { sandbox: Sandbox::start(options).unwrap(), _folder: folder }
}

impl Shop {
    pub(crate) async fn try_connect(
        &self,
        password: &str,
        database: &str,
        encryption: EncryptionLevel,
    ) -> tiberius::Result<Sql> {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(self.sandbox.tds_port);
        config.authentication(AuthMethod::sql_server("sa", password));
        config.database(database);
        config.encryption(encryption);
        config.trust_cert();
        let tcp = TcpStream::connect(config.get_addr()).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        Client::connect(config, tcp.compat_write()).await
    }

    pub(crate) async fn connect(&self) -> Sql {
        self.try_connect("RainTek-1", "Raintech_DB1", EncryptionLevel::NotSupported).await.unwrap()
    }

    async fn http(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.sandbox.control_port);
        let client = reqwest::Client::new();
        let request = match body {
            Some(body) => client.post(url).json(&body),
            None => client.get(url),
        };
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    pub(crate) async fn order(&self, order: Value) {
        self.http("/control", Some(order)).await;
    }

    pub(crate) async fn dump(&self) -> Value {
        self.http("/dump", None).await
    }

    pub(crate) async fn sql(&self, sql: &str) -> Value {
        self.http("/sql", Some(json!({ "sql": sql }))).await
    }

    /// Waits until so many sessions wait for a lock.
    pub(crate) async fn waiting(&self, sessions: u64) {
        self.until("waiting", sessions).await;
    }

    /// Waits until a number of GET /state is what it should be.
    pub(crate) async fn until(&self, field: &str, number: u64) {
        let reached = async {
            while self.http("/state", None).await.get(field) != Some(&json!(number)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("the state was never reached");
    }
}

pub(crate) async fn rows(client: &mut Sql, sql: &str) -> tiberius::Result<Vec<Row>> {
    client.simple_query(sql).await?.into_first_result().await
}

pub(crate) async fn int(client: &mut Sql, sql: &str) -> Option<i32> {
    rows(client, sql).await.unwrap().first().and_then(|row| row.get::<i32, _>(0))
}

/// The number of the error a batch ends with.
pub(crate) async fn error(client: &mut Sql, sql: &str) -> Option<u32> {
    match client.simple_query(sql).await {
        Ok(stream) => stream.into_results().await.err().and_then(|error| error.code()),
        Err(error) => error.code(),
    }
}
