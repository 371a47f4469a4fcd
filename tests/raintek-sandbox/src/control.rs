//! placeholder
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::engine::shared::Shared;

pub(crate) fn spawn(
    _shared: Arc<Shared>,
    _listener: TcpListener,
    stopped: tokio::sync::oneshot::Receiver<()>,
) -> anyhow::Result<JoinHandle<()>> {
    Ok(std::thread::spawn(move || {
        let _ = stopped.blocking_recv();
    }))
}
