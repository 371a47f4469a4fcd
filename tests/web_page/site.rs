//! The real router and listener in front of an engine that only remembers what it was asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use shopsync::model::command::{Command, Reply};
use shopsync::model::status::Snapshot;
use shopsync::ports::Controls;
use shopsync::web::{self, Access};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::back::{Back, with_back};

const TOKEN: &str = "the-token-of-the-tests-0123456789abc";

/// What the page believes to be the engine.
struct Engine {
    publisher: watch::Sender<Arc<Snapshot>>,
    asked: Mutex<Vec<Command>>,
}

#[async_trait]
impl Controls for Engine {
    async fn command(&self, command: Command) -> Reply {
        let sentence = match &command {
            Command::Retry { number } => format!("{number} is being tried now."),
            Command::RetryAll => "Everything is being tried now.".into(),
            Command::SyncNow => "Both sides are being looked at now.".into(),
            Command::Remove { number } => format!("{number} is being removed from RainTek."),
            Command::Leave { number } => format!("{number} stays in RainTek."),
            Command::Pause { .. } => "Paused.".into(),
            Command::Rewrite { number } => format!("{number} is written into RainTek again."),
            Command::Renumber { number } => format!("{number} has the number GST-0200-2026/27 now."),
            Command::Backup { .. } => "Backing up now.".into(),
            Command::Check => "Comparing every invoice with RainTek.".into(),
            Command::RestoreInvoice { .. } => "What would change:".into(),
            Command::Preview { .. } => {
                "Would be booked as a new bill of Rs 2,900.00 with 3 lines for Asha Traders.\n\
                InvoiceInfo: GrandTotal 2900.00, InvoiceNo \"GST-0151\", TillID \"SHOPSYNC\""
                    .into()
            }
            Command::Resume => "Going on.".into(),
            Command::GoLive { .. } => "Going live.".into(),
        };
        lock(&self.asked).push(command);
        Reply::Accepted { sentence }
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.publisher.subscribe()
    }
}

/// A served page.
pub(crate) struct Site {
    engine: Arc<Engine>,
    pub(crate) back: Arc<Back>,
    port: u16,
    server: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Site {
    /// Serves the page with this snapshot on a port of its own.
    pub(crate) fn open(snapshot: Snapshot) -> Self {
        let (publisher, _) = watch::channel(Arc::new(snapshot));
        let engine = Arc::new(Engine { publisher, asked: Mutex::default() });
        Self::with(engine, Back::new())
    }

    /// The same for a shop that is opened for the first time.
    pub(crate) fn first_run(snapshot: Snapshot) -> Self {
        let (publisher, _) = watch::channel(Arc::new(snapshot));
        let back = Back::new();
        *back.setup.lock().unwrap_or_else(PoisonError::into_inner) = crate::back::first_run();
        Self::with(Arc::new(Engine { publisher, asked: Mutex::default() }), back)
    }

    fn with(engine: Arc<Engine>, back: Arc<Back>) -> Self {
        let mut site = Self { engine, back, port: 0, server: None };
        site.start();
        site
    }

    /// The link with the token.
    pub(crate) fn link(&self) -> String {
        self.access().link()
    }

    /// The address without it.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Publishes a snapshot.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        self.engine.publisher.send_replace(Arc::new(snapshot));
    }

    /// What the engine was asked, oldest first.
    pub(crate) fn asked(&self) -> Vec<Command> {
        lock(&self.engine.asked).clone()
    }

    /// Serves (again) on the same port.
    pub(crate) fn start(&mut self) {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(web::bind(self.port)).unwrap();
        self.port = listener.local_addr().unwrap().port();
        let controls = Arc::clone(&self.engine) as Arc<dyn Controls>;
        let doors = web::Doors { past: Some(self.back.past()), ..web::Doors::default() };
        let router = web::router_with(controls, self.access(), doors);
        let router = with_back(router, Arc::clone(&self.back));
        let stop = CancellationToken::new();
        let until = stop.clone();
        let thread = thread::spawn(move || runtime.block_on(web::serve(listener, router, until)));
        self.server = Some((stop, thread));
    }

    /// Stops serving, as a program that ends.
    pub(crate) fn stop(&mut self) {
        if let Some((stop, thread)) = self.server.take() {
            stop.cancel();
            let _ = thread.join();
        }
    }

    fn access(&self) -> Access {
        Access::new(TOKEN, self.port).unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock(asked: &Mutex<Vec<Command>>) -> MutexGuard<'_, Vec<Command>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}
