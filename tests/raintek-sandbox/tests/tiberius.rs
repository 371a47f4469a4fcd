//! The product's own client against the stand-in.
#![expect(missing_docs, reason = "a test")]

use raintek_sandbox::{Options, Sandbox};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

type Till = Client<Compat<TcpStream>>;

struct Shop {
    sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.sqlite");
    let sandbox = Sandbox::start(Options { file, ..Options::default() }).unwrap();
    Shop { sandbox, _folder: folder }
}

async fn connect(shop: &Shop) -> Till {
    let mut config = Config::new();
    config.host("127.0.0.1");
    config.port(shop.sandbox.tds_port);
    config.authentication(AuthMethod::sql_server("sa", "RainTek-1"));
    config.database("Raintech_DB1");
    config.encryption(EncryptionLevel::NotSupported);
    let tcp = TcpStream::connect(config.get_addr()).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    Client::connect(config, tcp.compat_write()).await.unwrap()
}

#[tokio::test]
async fn logs_in_and_selects() {
    let shop = shop();
    let mut client = connect(&shop).await;
    let row = client
        .query("SELECT 1 AS one, @P1 AS two", &[&"zwei"])
        .await
        .unwrap()
        .into_row()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<i32, _>("one"), Some(1));
    assert_eq!(row.get::<&str, _>("two"), Some("zwei"));
}
