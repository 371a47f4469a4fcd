//! The Windows service: what the system's service manager asks and is told.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use windows_service::service::{
    ServiceAccess, ServiceAction, ServiceActionType, ServiceControl, ServiceControlAccept, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_service::{define_windows_service, service_dispatcher};

use super::installation::SERVICE as NAME;
use crate::model::fault::{Action, Fault, FaultKind, Scope};

/// How long Windows is told that an orderly end may take.
const END_WITHIN: Duration = Duration::from_secs(10);
/// Waits before the first, second and every later time that it is started again.
const RESTARTS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60)];
/// A day without failure, and the waits begin again.
const FORGIVEN: Duration = Duration::from_secs(24 * 60 * 60);

type Body = Box<dyn FnOnce(CancellationToken) -> bool + Send>;

/// The system calls a function without arguments: what it is to do waits here.
static BODY: Mutex<Option<Body>> = Mutex::new(None);

define_windows_service!(service_main, called_by_windows);

/// Runs `body` as the service until Windows asks it to end; `body` says whether it ended well.
///
/// # Errors
/// The process was not started by Windows' service manager.
pub fn run(body: impl FnOnce(CancellationToken) -> bool + Send + 'static) -> Result<(), Fault> {
    *BODY.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(body));
    service_dispatcher::start(NAME, service_main).map_err(|error| {
        let sentence = "Only Windows starts the service. In a console it runs by: shopsync service --console";
        Fault::new(FaultKind::Config, Scope::Store, sentence).detail(error)
    })
}

fn called_by_windows(_: Vec<OsString>) {
    let Some(body) = BODY.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    if let Err(error) = serve(body) {
        tracing::error!(%error, "the service manager does not answer");
    }
}

fn serve(body: Body) -> windows_service::Result<()> {
    let stop = CancellationToken::new();
    let asked = stop.clone();
    let known: Arc<OnceLock<ServiceStatusHandle>> = Arc::default();
    let told = Arc::clone(&known);
    let status = service_control_handler::register(NAME, move |control| match control {
        ServiceControl::Stop | ServiceControl::Preshutdown | ServiceControl::Shutdown => {
            // Windows cuts short what takes longer than it was told.
            if let Some(status) = told.get() {
                let _ = tell(status, ServiceState::StopPending, ServiceExitCode::NO_ERROR);
            }
            asked.cancel();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    })?;
    let _ = known.set(status);
    tell(&status, ServiceState::Running, ServiceExitCode::NO_ERROR)?;
    let well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(stop))).unwrap_or(false);
    // A failure's code makes Windows carry out the recovery.
    let code = if well { ServiceExitCode::NO_ERROR } else { ServiceExitCode::ServiceSpecific(1) };
    tell(&status, ServiceState::Stopped, code)
}

fn tell(
    status: &ServiceStatusHandle,
    state: ServiceState,
    exit_code: ServiceExitCode,
) -> windows_service::Result<()> {
    let accepts = ServiceControlAccept::STOP | ServiceControlAccept::PRESHUTDOWN;
    let running = state == ServiceState::Running;
    status.set_service_status(ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: if running { accepts } else { ServiceControlAccept::empty() },
        exit_code,
        checkpoint: 0,
        wait_hint: if state == ServiceState::StopPending { END_WITHIN } else { Duration::ZERO },
        process_id: None,
    })
}

/// Has Windows start the service again whenever it ends unasked.
///
/// # Errors
/// It is not registered, or the user is no administrator.
pub fn restart_when_it_fails() -> Result<(), Fault> {
    set_recovery().map_err(|error| {
        let sentence = "Windows does not let the service's recovery be set. Run this as an administrator.";
        Fault::new(FaultKind::Config, Scope::Store, sentence).action(Action::CallSupport).detail(error)
    })
}

fn set_recovery() -> windows_service::Result<()> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)?;
    let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::QUERY_CONFIG;
    let service = manager.open_service(NAME, access)?;
    let actions = RESTARTS.map(|delay| ServiceAction { action_type: ServiceActionType::Restart, delay });
    service.update_failure_actions(ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(FORGIVEN),
        reboot_msg: None,
        command: None,
        actions: Some(actions.to_vec()),
    })?;
    service.set_failure_actions_on_non_crash_failures(true)
}
