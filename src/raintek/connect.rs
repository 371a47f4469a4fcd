//! Finding and signing in to the server.

use std::fmt;
use std::time::Duration;

use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::classify::{classify, unreachable};
use super::way::{self, Stream, Way};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::settings::{Encryption, RaintekAuth, RaintekSettings};

pub(super) type Sql = Client<Compat<Stream>>;

/// How long a server may take to accept a connection and the login.
const CONNECT_TIME: Duration = Duration::from_secs(15);

/// Where the database is and how to sign in.
#[derive(Clone)]
pub struct Target {
    /// A named pipe instead of an address, where the server is written as `np:...`.
    pipe: Option<String>,
    host: String,
    instance: Option<String>,
    port: Option<u16>,
    database: String,
    user: String,
    password: Option<String>,
    auth: RaintekAuth,
    encryption: Encryption,
    /// Statements may take as long as they take.
    untimed: bool,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Target {
    /// Reads `.`, `(local)`, `SHOP-PC`, `.\SQLEXPRESS`, `host,1433` and `np:\\.\pipe\sql\query` in `server`.
    pub fn new(settings: &RaintekSettings, password: Option<String>) -> Self {
        let server = settings.server.trim();
        let pipe = server.strip_prefix("np:").map(|pipe| pipe.trim().to_owned());
        let server = if pipe.is_some() { "." } else { server.trim_start_matches("tcp:") };
        let (name, listed_port) = match server.split_once(',') {
            Some((name, port)) => (name, port.trim().parse().ok()),
            None => (server, None),
        };
        let (host, instance) = match name.split_once('\\') {
            Some((host, instance)) => (host, Some(instance.trim().to_owned())),
            None => (name, None),
        };
        let host = match host.trim() {
            "" | "." | "(local)" | "localhost" => "127.0.0.1",
            other => other,
        };
        Self {
            pipe,
            host: host.to_owned(),
            instance: instance.filter(|name| !name.is_empty()),
            port: listed_port.or(Some(settings.port).filter(|port| *port != 0)),
            database: settings.database.clone(),
            user: settings.user.clone(),
            password,
            auth: settings.auth,
            encryption: settings.encryption,
            untimed: false,
        }
    }

    /// The same, for statements that take as long as they take: backups.
    pub(super) fn untimed(&self) -> Self {
        Self { untimed: true, ..self.clone() }
    }

    /// The shop's database.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// For a person: `Raintech_DB1 on .\SQLEXPRESS`. No secret.
    pub fn describe(&self) -> String {
        if let Some(pipe) = &self.pipe {
            return format!("{} on this PC, by {pipe}", self.database);
        }
        let host = if self.host == "127.0.0.1" { "this PC" } else { &self.host };
        let instance = self.instance.as_ref().map(|name| format!("\\{name}")).unwrap_or_default();
        let port = self.port.map(|port| format!(", port {port}")).unwrap_or_default();
        format!("{} on {host}{instance}{port}", self.database)
    }

    /// The ways to the server, in the order in which they are tried: on this PC a named pipe, too, since Express listens
    /// to no TCP by default.
    fn ways(&self) -> Vec<Way> {
        if let Some(pipe) = &self.pipe {
            return vec![Way::Pipe(pipe.clone())];
        }
        let tcp = Way::Tcp { host: self.host.clone(), port: self.port, instance: self.instance.clone() };
        let pipe = self.is_here().then(|| way::local_pipe(self.instance.as_deref())).flatten();
        [Some(tcp), pipe.map(Way::Pipe)].into_iter().flatten().collect()
    }

    /// Whether the server is on this PC.
    pub(super) fn is_here(&self) -> bool {
        let name = std::env::var("COMPUTERNAME").unwrap_or_default();
        self.host == "127.0.0.1" || (!name.is_empty() && self.host.eq_ignore_ascii_case(&name))
    }

    /// Reaches the server by the first way that leads there.
    async fn reach(&self, config: &Config) -> Result<(Stream, &'static str), Fault> {
        let mut first = None;
        for way in self.ways() {
            match tokio::time::timeout(CONNECT_TIME, way.go(config)).await {
                Ok(Ok(stream)) => return Ok((stream, way.name())),
                Ok(Err(why)) => first.get_or_insert(why),
                Err(_) => first.get_or_insert_with(|| "no answer within 15 s".to_owned()),
            };
        }
        Err(unreachable(&first.unwrap_or_default()))
    }

    /// Signs in, climbing down the ladder of encryption only as far as the settings allow.
    pub(super) async fn connect(&self) -> Result<Sql, Fault> {
        self.connect_by().await.map(|(sql, _)| sql)
    }

    /// The same, and by which way: `tcp` or `pipe`.
    pub(super) async fn connect_by(&self) -> Result<(Sql, &'static str), Fault> {
        let ladder: &[EncryptionLevel] = match self.encryption {
            Encryption::Auto => &[EncryptionLevel::Required, EncryptionLevel::Off],
            Encryption::Required => &[EncryptionLevel::Required],
            Encryption::None => &[EncryptionLevel::NotSupported],
        };
        let mut last = None;
        for level in ladder {
            match tokio::time::timeout(CONNECT_TIME * 2, self.connect_with(*level)).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(Attempt::NextRung(error))) => last = Some(error),
                Ok(Err(Attempt::Failed(fault))) => return Err(*fault),
                Err(_) => return Err(unreachable("no answer within 30 s")),
            }
        }
        Err(Fault::new(
            FaultKind::Config,
            Scope::Pos,
            "RainTek's server cannot encrypt the connection; it may need encryption = \"none\" in the settings.",
        )
        .detail(last.unwrap_or_default()))
    }

    async fn connect_with(&self, level: EncryptionLevel) -> Result<(Sql, &'static str), Attempt> {
        let config = self.config(level).map_err(Attempt::failed)?;
        let (stream, way) = self.reach(&config).await.map_err(Attempt::failed)?;
        let mut sql = match Client::connect(config, stream.compat_write()).await {
            Ok(sql) => sql,
            Err(error @ (tiberius::error::Error::Tls(_) | tiberius::error::Error::Protocol(_))) => {
                return Err(Attempt::NextRung(error.to_string()));
            }
            Err(error) => return Err(Attempt::failed(classify(&error))),
        };
        // SET options of sp_executesql end with it: these go as a plain batch.
        simple(&mut sql, "SET XACT_ABORT ON; SET LOCK_TIMEOUT 10000;").await.map_err(Attempt::failed)?;
        Ok((sql, way))
    }

    fn config(&self, level: EncryptionLevel) -> Result<Config, Fault> {
        let mut config = Config::new();
        config.host(&self.host);
        if let Some(port) = self.port {
            config.port(port);
        } else if let Some(instance) = &self.instance {
            config.instance_name(instance);
        }
        config.database(&self.database);
        config.application_name("ShopSync");
        config.encryption(level);
        // A shop's own server has a certificate it made itself.
        config.trust_cert();
        config.handshake_timeout(Some(CONNECT_TIME));
        config.lossy_utf16_decoding(true);
        if self.untimed {
            config.command_timeout(None);
        }
        config.authentication(self.authentication()?);
        Ok(config)
    }

    fn authentication(&self) -> Result<AuthMethod, Fault> {
        match self.auth {
            RaintekAuth::Sql => {
                Ok(AuthMethod::sql_server(&self.user, self.password.as_deref().unwrap_or_default()))
            }
            #[cfg(windows)]
            RaintekAuth::Windows => Ok(AuthMethod::Integrated),
            #[cfg(not(windows))]
            RaintekAuth::Windows => Err(Fault::new(
                FaultKind::Config,
                Scope::Pos,
                "Signing in with the Windows account works on Windows only.",
            )),
        }
    }
}

enum Attempt {
    /// The server does not speak this level of encryption.
    NextRung(String),
    Failed(Box<Fault>),
}

impl Attempt {
    fn failed(fault: Fault) -> Self {
        Self::Failed(Box::new(fault))
    }
}

/// Sends a batch that returns nothing of interest.
pub(super) async fn simple(sql: &mut Sql, text: &str) -> Result<(), Fault> {
    let done = sql.simple_query(text).await.map_err(|error| classify(&error))?;
    done.into_results().await.map(|_| ()).map_err(|error| classify(&error))
}

pub(super) async fn probe(sql: &mut Sql) -> Result<i32, Fault> {
    let answer = sql
        .simple_query("SELECT CAST(MAX(Inv_ID) AS int) FROM InvoiceInfo")
        .await
        .map_err(|error| classify(&error))?;
    let row = answer.into_row().await.map_err(|error| classify(&error))?;
    Ok(row.and_then(|row| row.try_get::<i32, _>(0).ok().flatten()).unwrap_or(0))
}

pub(super) async fn begin(sql: &mut Sql) -> Result<(), Fault> {
    sql.begin_transaction().await.map_err(|error| classify(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(server: &str, port: u16) -> (String, Option<String>, Option<u16>) {
        let settings = RaintekSettings { server: server.into(), port, ..RaintekSettings::default() };
        let target = Target::new(&settings, None);
        (target.host, target.instance, target.port)
    }

    #[test]
    fn server_names_are_read_as_raintek_writes_them() {
        let local = "127.0.0.1".to_owned();
        assert_eq!(target(".", 0), (local.clone(), None, None));
        assert_eq!(target("(local)", 1435), (local.clone(), None, Some(1435)));
        assert_eq!(target(".\\SQLEXPRESS", 0), (local, Some("SQLEXPRESS".into()), None));
        assert_eq!(target("SHOP-PC", 0), ("SHOP-PC".into(), None, None));
        assert_eq!(target("tcp:shop-pc,1500", 0), ("shop-pc".into(), None, Some(1500)));
        assert_eq!(target("SHOP-PC\\RT, 1500", 0), ("SHOP-PC".into(), Some("RT".into()), Some(1500)));
    }

    #[test]
    fn a_pipe_is_named_as_sql_servers_own_tools_do() {
        let settings =
            RaintekSettings { server: r"np:\\.\pipe\sql\query".into(), ..RaintekSettings::default() };
        let target = Target::new(&settings, None);
        assert_eq!(target.ways(), [Way::Pipe(r"\\.\pipe\sql\query".into())]);
        assert_eq!(target.describe(), r"Raintech_DB1 on this PC, by \\.\pipe\sql\query");
    }

    #[test]
    fn a_password_is_never_shown() {
        let target = Target::new(&RaintekSettings::default(), Some("hunter2".into()));
        assert!(!format!("{target:?}").contains("hunter2"));
    }
}
