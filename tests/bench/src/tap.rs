//! Stands between the program and PocketBase and keeps what the program sends.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Tap {
    pub(crate) port: u16,
    /// What each connection sent and nobody took yet.
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Tap {
    /// In front of a server on this port of this machine.
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&sent);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let place = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(Vec::new());
                    kept.len() - 1
                };
                tokio::spawn(carry(client, server, Arc::clone(&kept), place));
            }
        });
        Self { port, sent, accepting }
    }

    /// Whole requests since the last time, of each connection in their order.
    pub(crate) fn take(&self) -> Vec<Request> {
        let mut sent = self.sent.lock().unwrap();
        let mut requests = Vec::new();
        for bytes in sent.iter_mut() {
            while let Some((request, length)) = first(bytes) {
                requests.push(request);
                bytes.drain(..length);
            }
        }
        requests
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, kept: Arc<Mutex<Vec<Vec<u8>>>>, place: usize) {
    let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(length) if length > 0 => {
                    kept.lock().unwrap()[place].extend_from_slice(&up[..length]);
                    if server.write_all(&up[..length]).await.is_err() { return; }
                }
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(length) if length > 0 => {
                    if client.write_all(&down[..length]).await.is_err() { return; }
                }
                _ => return,
            },
        }
    }
}

fn first(bytes: &[u8]) -> Option<(Request, usize)> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length.unwrap_or(0);
    let body = bytes.get(head..end)?.to_vec();
    Some((Request { method, path, body }, end))
}
