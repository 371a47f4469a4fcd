//! The engine as everybody else knows it: the same one, though another takes its place when the settings change.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::{RwLock, RwLockWriteGuard, watch};
use tokio::task::JoinHandle;

use crate::engine::Handle;
use crate::model::alert::Event;
use crate::model::command::{Command, Reply};
use crate::model::status::Snapshot;
use crate::ports::Controls;

/// Commands go to the engine there is; what it publishes comes out here, whichever it is.
pub struct Switch {
    published: watch::Sender<Arc<Snapshot>>,
    engine: RwLock<Option<Handle>>,
    /// Copies what the engine publishes.
    pump: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Switch")
    }
}

/// Nobody gets a command through while this is held; they wait.
pub(super) type Held<'a> = RwLockWriteGuard<'a, Option<Handle>>;

impl Switch {
    pub(super) fn new(first: Snapshot) -> Self {
        Self {
            published: watch::Sender::new(Arc::new(first)),
            engine: RwLock::default(),
            pump: Mutex::default(),
        }
    }

    /// Has commands wait until what is returned is dropped.
    pub(super) async fn hold(&self) -> Held<'_> {
        self.engine.write().await
    }

    /// This engine from here on, or none.
    pub(super) fn set(&self, held: &mut Held<'_>, engine: Option<Handle>) {
        let pump = engine.as_ref().map(|engine| {
            let (mut states, published) = (engine.watch(), self.published.clone());
            // The first one is empty: what is shown until then is what was said last.
            states.borrow_and_update();
            tokio::spawn(async move {
                while states.changed().await.is_ok() {
                    let snapshot = Arc::clone(&states.borrow_and_update());
                    published.send_replace(snapshot);
                }
            })
        });
        let before = std::mem::replace(&mut *self.pump.lock().unwrap_or_else(PoisonError::into_inner), pump);
        if let Some(before) = before {
            before.abort();
        }
        **held = engine;
    }

    /// Says something while there is no engine that could.
    pub(super) fn say(&self, change: impl FnOnce(&mut Snapshot)) {
        self.published.send_modify(|snapshot| {
            let mut said = Snapshot::clone(snapshot);
            change(&mut said);
            *snapshot = Arc::new(said);
        });
    }

    /// The engine, where there is one.
    pub(super) async fn engine(&self) -> Option<Handle> {
        self.engine.read().await.clone()
    }

    /// What was published last.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.borrow())
    }

    /// Reports to the alerts, where there are any.
    pub async fn raise(&self, event: Event) {
        if let Some(engine) = self.engine().await {
            engine.raise(event).await;
        }
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        if let Some(pump) = self.pump.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            pump.abort();
        }
    }
}

#[async_trait]
impl Controls for Switch {
    async fn command(&self, command: Command) -> Reply {
        match self.engine().await {
            Some(engine) => engine.command(command).await,
            None => Reply::Refused { sentence: self.snapshot().sentence.clone() },
        }
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }
}
