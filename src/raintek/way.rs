//! The ways to SQL Server: TCP, and on the same PC a named pipe. tiberius speaks over any stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tiberius::{Config, SqlBrowser};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

const DEFAULT_PORT: u16 = 1433;
/// Where pipes lie on a system that has none of Windows' kind: sockets in a folder, for tests.
#[cfg(unix)]
const PIPES: &str = "SHOPSYNC_PIPES";

/// One way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// An address, and where there is no port, an instance to ask the server's browser for.
    Tcp {
        /// The server.
        host: String,
        /// Its port.
        port: Option<u16>,
        /// Its instance.
        instance: Option<String>,
    },
    /// A named pipe of this PC.
    Pipe(String),
}

trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for T {}

/// A stream to the server, whatever it is made of.
pub(super) struct Stream(Box<dyn Io>);

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl Way {
    /// As published.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tcp { .. } => "tcp",
            Self::Pipe(_) => "pipe",
        }
    }

    /// Connects; why not, in technical words.
    pub(super) async fn go(&self, config: &Config) -> Result<Stream, String> {
        match self {
            Self::Tcp { host, port, instance } => {
                let tcp = match (port, instance) {
                    (None, Some(_)) => {
                        TcpStream::connect_named(config).await.map_err(|error| error.to_string())?
                    }
                    (port, _) => TcpStream::connect((host.as_str(), port.unwrap_or(DEFAULT_PORT)))
                        .await
                        .map_err(|error| error.to_string())?,
                };
                tcp.set_nodelay(true).map_err(|error| error.to_string())?;
                Ok(Stream(Box::new(tcp)))
            }
            Self::Pipe(name) => open(name).await.map_err(|error| format!("{name}: {error}")),
        }
    }
}

/// The pipe on which an instance of this PC listens by default; `None` where there are none.
pub(super) fn local_pipe(instance: Option<&str>) -> Option<String> {
    let instance = instance.filter(|name| !name.eq_ignore_ascii_case("MSSQLSERVER"));
    if cfg!(windows) {
        return Some(match instance {
            None => r"\\.\pipe\sql\query".to_owned(),
            Some(name) => format!(r"\\.\pipe\MSSQL${name}\sql\query"),
        });
    }
    #[cfg(unix)]
    if let Some(folder) = std::env::var_os(PIPES) {
        let name = instance.map_or("sql".to_owned(), |name| format!("MSSQL${name}"));
        return Some(std::path::Path::new(&folder).join(name).to_string_lossy().into_owned());
    }
    None
}

#[cfg(windows)]
async fn open(name: &str) -> io::Result<Stream> {
    use tokio::net::windows::named_pipe::ClientOptions;
    /// All of its ends are taken; another comes when somebody leaves.
    const ERROR_PIPE_BUSY: i32 = 231;
    loop {
        match ClientOptions::new().open(name) {
            Ok(pipe) => return Ok(Stream(Box::new(pipe))),
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(unix)]
async fn open(name: &str) -> io::Result<Stream> {
    Ok(Stream(Box::new(tokio::net::UnixStream::connect(name).await?)))
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
