//! The server as a whole: its options, its threads, its end.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::engine::shared::Shared;
use crate::sql::generation::Generation;
use crate::tds::wire::Tls;
use crate::{control, seed, tds};

/// How a server is started. All ports are on 127.0.0.1 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The TDS port; 0 takes a free one.
    pub port: u16,
    /// The control port; 0 takes a free one.
    pub control_port: u16,
    /// The SQLite file; what it already holds is kept.
    pub file: PathBuf,
    /// How RainTek's tables look where the file holds none.
    pub generation: Generation,
    /// How many products to make up where the file holds none.
    pub seed_products: u32,
    /// The seed they are made up from; the same seed gives the same shop.
    pub seed: u64,
    /// The SQL login's name.
    pub user: String,
    /// The SQL login's password.
    pub password: String,
    /// Whether connections can be encrypted, and by what certificate.
    pub tls: Tls,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            control_port: 0,
            file: PathBuf::from("raintek-sandbox.sqlite"),
            generation: Generation::default(),
            seed_products: 0,
            seed: 1,
            user: "sa".to_owned(),
            password: "RainTek-1".to_owned(),
            tls: Tls::Off,
        }
    }
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    /// The TDS port on 127.0.0.1.
    pub tds_port: u16,
    /// The control endpoint's port on 127.0.0.1.
    pub control_port: u16,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    stop_control: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Sandbox {
    /// Opens the store, seeds it where it is empty, and serves.
    ///
    /// # Errors
    /// Where the file cannot be opened as a store, or a port is taken.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::open(&options)?);
        seed::fill(&shared, options.seed_products, options.seed)?;
        let tds = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let control = TcpListener::bind((Ipv4Addr::LOCALHOST, options.control_port))?;
        let (tds_port, control_port) = (tds.local_addr()?.port(), control.local_addr()?.port());
        let (stop_control, stopped) = tokio::sync::oneshot::channel();
        let (for_tds, for_control) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            std::thread::Builder::new().name("tds".to_owned()).spawn(move || accept(&for_tds, &tds))?,
            control::spawn(for_control, control, stopped)?,
        ];
        Ok(Self { tds_port, control_port, shared, threads, stop_control: Some(stop_control) })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.faults.change(|orders| orders.stopping = true);
        self.shared.cut_all();
        // wakes the thread that waits for clients
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.tds_port)));
        drop(self.stop_control.take());
        for thread in self.threads.drain(..) {
            // a thread that panicked has stopped, too
            let _ = thread.join();
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    let clients: Mutex<Vec<JoinHandle<()>>> = Mutex::default();
    for stream in listener.incoming() {
        let orders = shared.faults.now();
        if orders.stopping {
            break;
        }
        let Ok(stream) = stream else { continue };
        if orders.refuse {
            continue;
        }
        let shared = Arc::clone(shared);
        let client = std::thread::Builder::new()
            .name("client".to_owned())
            .stack_size(8 << 20)
            .spawn(move || tds::connection::serve(&shared, stream));
        let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client| !client.is_finished());
        clients.extend(client);
    }
    shared.cut_all();
    for client in clients.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let _ = client.join();
    }
}
