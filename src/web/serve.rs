//! The listener: this PC only, bounded in connections and in patience.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What a listener allows.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at a time; a browser takes six, a stream among them.
    connections: usize,
    /// Until a request's head has arrived, and for an idle connection: who dawdles is hung up on.
    head: Duration,
    /// For answers under way when it stops; streams never end by themselves.
    farewell: Duration,
}

const LIMITS: Limits =
    Limits { connections: 64, head: Duration::from_secs(10), farewell: Duration::from_millis(500) };

/// The page cannot be served on this port.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else has it.
    #[error(
        "Port {port} of this PC is already used by another program, so ShopSync's page cannot be shown there. \
         Close that program, or choose another port in the settings."
    )]
    Busy {
        /// The port that was asked for.
        port: u16,
    },
    /// Anything else (no permission, no network stack).
    #[error(
        "ShopSync's page cannot be shown on port {port} of this PC. Choose another port in the settings."
    )]
    Other {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
}

/// Takes the port on 127.0.0.1 and on no other address of the machine; 0 takes any free one.
///
/// # Errors
/// [`BindError`] with one plain sentence: the settings are wrong, and trying again alone will not help.
pub async fn bind(port: u16) -> Result<TcpListener, BindError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Busy { port },
        _ => BindError::Other { port, source },
    })
}

/// Answers until `stop`, then gives open answers half a second and closes everything.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_within(LIMITS, listener, router, stop).await;
}

async fn serve_within(limits: Limits, listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        // A place first: whoever comes when all are taken waits in the system's queue, costing nothing here.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next() => {}
            (place, accepted) = accepted => match accepted {
                Ok((stream, _peer)) => {
                    let (router, stop) = (router.clone(), stop.clone());
                    connections.spawn(async move {
                        connection(limits, stream, router, stop).await;
                        drop(place);
                    });
                }
                // Out of file handles, or gone before it was taken: neither ends the listener.
                Err(error) => {
                    tracing::debug!(%error, "a connection was not accepted");
                    sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(limits: Limits, stream: TcpStream, router: Router, stop: CancellationToken) {
    // Small answers, often: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_headers(64);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(served);
    tokio::select! {
        // A browser that goes away in the middle is no event.
        _ = served.as_mut() => {}
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            let _ = timeout(limits.farewell, served).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn hello() -> Router {
        Router::new()
            .route("/", axum::routing::get(|| async { "hello" }))
            .route("/never", axum::routing::get(|| async { std::future::pending::<&'static str>().await }))
    }

    async fn started(limits: Limits) -> (u16, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = bind(0).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve_within(limits, listener, hello(), stop.clone()));
        (port, stop, task)
    }

    async fn connect(port: u16) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap()
    }

    async fn all_of(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }

    async fn asked(port: u16) -> String {
        let mut stream = connect(port).await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        all_of(stream).await
    }

    #[tokio::test]
    async fn a_busy_port_is_one_plain_sentence() {
        let first = bind(0).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let error = bind(port).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("Port {port} of this PC is already used")), "{error}");
    }

    #[tokio::test]
    async fn only_this_pc_is_listened_to() {
        assert!(bind(0).await.unwrap().local_addr().unwrap().ip().is_loopback());
    }

    #[tokio::test]
    async fn who_dawdles_with_the_head_is_hung_up_on() {
        let (port, ..) = started(Limits { head: Duration::from_millis(200), ..LIMITS }).await;
        let mut slow = connect(port).await;
        slow.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        let answer = all_of(slow).await;
        assert!(!answer.contains("hello"), "{answer}");
    }

    #[tokio::test]
    async fn connections_that_say_nothing_cannot_keep_others_out() {
        let (port, ..) = started(Limits { connections: 2, head: Duration::from_millis(200), ..LIMITS }).await;
        let _idle = [connect(port).await, connect(port).await, connect(port).await];
        assert!(asked(port).await.ends_with("hello"));
    }

    #[tokio::test]
    async fn stopping_does_not_wait_for_an_answer_that_never_ends() {
        let (port, stop, task) = started(LIMITS).await;
        let mut endless = connect(port).await;
        endless.write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(asked(port).await.ends_with("hello"));
        stop.cancel();
        timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err());
    }
}
