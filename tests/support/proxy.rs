//! A TCP proxy that misbehaves on order: late, a byte at a time, cut after any byte, silent, half-open.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What becomes of a connection at a piece that goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Lives,
    /// This piece and all that follows is swallowed, both ways.
    DiesBefore,
    /// This piece passes; what follows is swallowed, both ways.
    DiesBehind,
    /// From this piece on nothing passes on any connection, until the silence ends; then it comes late.
    FallsSilent,
}

type Judge = Box<dyn Fn(&[u8]) -> Fate + Send>;

#[derive(Default)]
struct Orders {
    /// How many bytes still pass before everything is cut, up and down.
    left: [Option<u64>; 2],
    passed: [u64; 2],
    latency: Duration,
    /// At most so many bytes in one piece; 0 is as they come.
    piece: usize,
    silent: bool,
    /// Connections up to this one are half-open: both ends believe in them, nothing passes any more.
    dead: HashSet<u64>,
    /// How many connections there were.
    connections: u64,
    /// Decides which one dies next; asked until one does.
    judge: Option<Judge>,
    /// Dead connections are at last given up by the server's side.
    buried: bool,
}

impl std::fmt::Debug for Orders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Orders").field("dead", &self.dead).finish_non_exhaustive()
    }
}

/// Listens on a port of this machine until dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    orders: Arc<Mutex<Orders>>,
    /// Counts up with every cut and every change of who is silent.
    news: watch::Sender<u64>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// In front of a server on this port of this machine.
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (news, seen) = watch::channel(0);
        let orders: Arc<Mutex<Orders>> = Arc::default();
        let (for_all, cut) = (Arc::clone(&orders), news.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let number = {
                    let mut orders = for_all.lock().unwrap();
                    orders.connections += 1;
                    orders.connections
                };
                for (way, from, to) in
                    [(Way::Up, from_client, to_server), (Way::Down, from_server, to_client)]
                {
                    let lane = Lane {
                        way,
                        number,
                        orders: Arc::clone(&for_all),
                        news: cut.clone(),
                        seen: seen.clone(),
                    };
                    tokio::spawn(lane.carry(from, to));
                }
            }
        });
        Self { port, orders, news, accepting }
    }

    fn change(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.orders.lock().unwrap());
        self.news.send_modify(|news| *news += 1);
    }

    /// From now on so many bytes pass this way, then every connection is cut.
    pub(crate) fn cut_after(&self, way: Way, bytes: u64) {
        self.orders.lock().unwrap().left[way as usize] = Some(bytes);
    }

    /// Nothing is cut any more; counts anew.
    pub(crate) fn heal(&self) {
        let mut orders = self.orders.lock().unwrap();
        orders.left = [None; 2];
        orders.passed = [0; 2];
    }

    /// How many bytes passed since it was healed.
    pub(crate) fn passed(&self, way: Way) -> u64 {
        self.orders.lock().unwrap().passed[way as usize]
    }

    /// Every piece comes so much later, and has at most so many bytes.
    pub(crate) fn slow(&self, latency: Duration, piece: usize) {
        self.change(|orders| (orders.latency, orders.piece) = (latency, piece));
    }

    /// Takes everything and passes nothing on, or goes on.
    pub(crate) fn silence(&self, silent: bool) {
        self.change(|orders| orders.silent = silent);
    }
}

/// Half-open connections.
impl Proxy {
    /// All that stand now become half-open, as those of a machine that lost its power.
    pub(crate) fn kill_silently(&self) {
        self.change(|orders| {
            let all = 1..=orders.connections;
            orders.dead.extend(all);
        });
    }

    /// The connection whose piece is judged so becomes half-open, or the whole wire silent, once.
    pub(crate) fn kill_silently_when(&self, judge: impl Fn(&[u8]) -> Fate + Send + 'static) {
        self.change(|orders| orders.judge = Some(Box::new(judge)));
    }

    /// Whether the judge has found its connection.
    pub(crate) fn has_struck(&self) -> bool {
        self.orders.lock().unwrap().judge.is_none()
    }

    /// The server gives up its half-open connections at last, as keep-alive has it do.
    pub(crate) fn bury(&self) {
        self.change(|orders| orders.buried = true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One direction of one connection.
struct Lane {
    way: Way,
    number: u64,
    orders: Arc<Mutex<Orders>>,
    news: watch::Sender<u64>,
    seen: watch::Receiver<u64>,
}

/// What of a piece passes.
enum Pass {
    All,
    /// So many bytes, then the end of everything.
    Then(usize),
    Wait,
    /// So many bytes, then nothing for ever, and nobody is told.
    Swallow(usize),
}

impl Lane {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap()
    }

    fn pass(&self, piece: &[u8]) -> Pass {
        let length = piece.len();
        let mut orders = self.orders();
        if orders.dead.contains(&self.number) {
            return Pass::Swallow(0);
        }
        if self.way == Way::Up
            && let Some(fate) = orders.judge.as_ref().map(|judge| judge(piece))
            && fate != Fate::Lives
        {
            orders.judge = None;
            if fate == Fate::FallsSilent {
                orders.silent = true;
                return Pass::Wait;
            }
            orders.dead.insert(self.number);
            return Pass::Swallow(if fate == Fate::DiesBehind { length } else { 0 });
        }
        if orders.silent {
            return Pass::Wait;
        }
        let way = self.way as usize;
        let length = u64::try_from(length).unwrap();
        match orders.left[way] {
            Some(left) if left <= length => {
                orders.left[way] = Some(0);
                orders.passed[way] += left;
                Pass::Then(usize::try_from(left).unwrap())
            }
            left => {
                orders.left[way] = left.map(|left| left - length);
                orders.passed[way] += length;
                Pass::All
            }
        }
    }

    async fn carry(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0_u8; 16 * 1024];
        loop {
            let piece = match self.orders().piece {
                0 => buffer.len(),
                piece => piece,
            };
            let length = tokio::select! {
                read = from.read(&mut buffer[..piece]) => match read {
                    Ok(length) if length > 0 => length,
                    _ => return,
                },
                () = self.cut() => return,
            };
            let latency = self.orders().latency;
            if latency > Duration::ZERO {
                tokio::time::sleep(latency).await;
            }
            loop {
                match self.pass(&buffer[..length]) {
                    Pass::All => {
                        if to.write_all(&buffer[..length]).await.is_err() {
                            return;
                        }
                        break;
                    }
                    Pass::Then(some) => {
                        let _ = to.write_all(&buffer[..some]).await;
                        self.news.send_modify(|news| *news += 1);
                        return;
                    }
                    Pass::Swallow(some) => {
                        let _ = to.write_all(&buffer[..some]).await;
                        return self.lie_dead(from, to).await;
                    }
                    Pass::Wait => {
                        if self.seen.changed().await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Takes what comes and passes nothing on, not even the end. When the dead are buried the server's side is told;
    /// the client's never is.
    async fn lie_dead(mut self, mut from: OwnedReadHalf, to: OwnedWriteHalf) {
        let mut nowhere = vec![0_u8; 16 * 1024];
        let mut ended = false;
        while self.way == Way::Down || !self.orders().buried {
            tokio::select! {
                read = from.read(&mut nowhere), if !ended => ended = !matches!(read, Ok(length) if length > 0),
                news = self.seen.changed() => if news.is_err() { break },
            }
        }
        drop(to);
    }

    /// Ends when everything is cut.
    async fn cut(&mut self) {
        loop {
            if self.orders().left.contains(&Some(0)) {
                return;
            }
            if self.seen.changed().await.is_err() {
                return;
            }
        }
    }
}
