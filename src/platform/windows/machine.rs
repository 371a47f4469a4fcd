//! What is looked for on this PC: programs that run, disks, SQL Servers; and a program with an administrator's rights.

use std::io;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;

use windows_registry::LOCAL_MACHINE;
use windows_sys::Win32::Foundation::{CloseHandle, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{GetDriveTypeW, GetLogicalDrives};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, INFINITE, OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION,
    QueryFullProcessImageNameW, WaitForSingleObject,
};
use windows_sys::Win32::UI::Shell::{SEE_MASK_NOCLOSEPROCESS, SHELLEXECUTEINFOW, ShellExecuteExW};
use windows_sys::Win32::UI::WindowsAndMessaging::SW_HIDE;

use super::wide;
use crate::ports::setup::Instance;

const SQL_SERVERS: &str = r"SOFTWARE\Microsoft\Microsoft SQL Server";
/// A disk that is built in.
const DRIVE_FIXED: u32 = 3;

/// Folders of the programs that run; those of Windows' own are left out.
pub(in crate::platform) fn running_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = processes()
        .into_iter()
        .filter_map(program_of)
        .filter_map(|program| program.parent().map(Path::to_path_buf))
        .filter(|folder| !folder.to_string_lossy().to_lowercase().contains(r":\windows"))
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

/// Processes whose program lies in this folder, but for this very one.
pub(super) fn others_in(folder: &Path) -> Vec<u32> {
    let inside = |process: &u32| program_of(*process).is_some_and(|program| program.parent() == Some(folder));
    processes().into_iter().filter(|process| *process != std::process::id() && inside(process)).collect()
}

fn processes() -> Vec<u32> {
    let mut ids = Vec::new();
    // SAFETY: takes no pointer; the handle is closed below.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    if snapshot == INVALID_HANDLE_VALUE {
        return ids;
    }
    // SAFETY: a structure of plain numbers and an array of them, for which zeros are a value.
    let mut entry: PROCESSENTRY32W = unsafe { std::mem::zeroed() };
    entry.dwSize = u32::try_from(size_of::<PROCESSENTRY32W>()).unwrap_or_default();
    // SAFETY: the entry says its own size, as the call wants it, and lives until the last call; the handle is good.
    let mut more = unsafe { Process32FirstW(snapshot, &mut entry) };
    while more != 0 {
        ids.push(entry.th32ProcessID);
        // SAFETY: as above.
        more = unsafe { Process32NextW(snapshot, &mut entry) };
    }
    // SAFETY: made here, closed once.
    unsafe { CloseHandle(snapshot) };
    ids
}

fn program_of(process: u32) -> Option<PathBuf> {
    let mut name = [0_u16; 1024];
    let mut length = u32::try_from(name.len()).ok()?;
    // SAFETY: the buffer is as long as is said and lives until the call returns; the handle is made here and closed
    // once. A process that may not be looked at gives none.
    let got = unsafe {
        let handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, process);
        if handle.is_null() {
            return None;
        }
        let got = QueryFullProcessImageNameW(handle, PROCESS_NAME_WIN32, name.as_mut_ptr(), &mut length);
        CloseHandle(handle);
        got
    };
    let units = name.get(..usize::try_from(length).ok()?).filter(|_| got != 0)?;
    Some(PathBuf::from(String::from_utf16_lossy(units)))
}

/// `C:\`, `D:\` and so on, where they are built in.
pub(in crate::platform) fn fixed_disks() -> Vec<PathBuf> {
    // SAFETY: takes no pointer.
    let drives = unsafe { GetLogicalDrives() };
    let letters = ('A'..='Z').enumerate().filter(|(at, _)| drives & (1 << at) != 0);
    letters
        .map(|(_, letter)| format!(r"{letter}:\"))
        .filter(|root| {
            let name = wide(root);
            // SAFETY: the name ends with a zero and lives until the call returns.
            unsafe { GetDriveTypeW(name.as_ptr()) == DRIVE_FIXED }
        })
        .map(PathBuf::from)
        .collect()
}

/// SQL Servers, as the registry tells.
pub(in crate::platform) fn sql_instances() -> Vec<Instance> {
    let Ok(names) = LOCAL_MACHINE.open(format!(r"{SQL_SERVERS}\Instance Names\SQL")) else {
        return Vec::new();
    };
    let Ok(values) = names.values() else { return Vec::new() };
    values
        .filter_map(|(name, _)| {
            let id = names.get_string(&name).ok()?;
            let tcp =
                LOCAL_MACHINE.open(format!(r"{SQL_SERVERS}\{id}\MSSQLServer\SuperSocketNetLib\Tcp")).ok();
            let all = tcp.as_ref().and_then(|tcp| tcp.open("IPAll").ok());
            let port = |value: &str| {
                let text = all.as_ref()?.get_string(value).ok()?;
                text.trim().parse::<u16>().ok().filter(|port| *port != 0)
            };
            Some(Instance {
                tcp: tcp.as_ref().and_then(|tcp| tcp.get_u32("Enabled").ok()).map(|enabled| enabled != 0),
                port: port("TcpPort").or_else(|| port("TcpDynamicPorts")),
                name,
                id,
            })
        })
        .collect()
}

/// Runs a program with an administrator's rights and waits until it has ended.
///
/// # Errors
/// The user said no, or the program ended with a code.
pub fn run_elevated(program: &str, arguments: &[String]) -> io::Result<()> {
    // As C's own start code takes them apart again; none of ours holds a quote.
    let line: Vec<String> = arguments.iter().map(|one| format!("\"{}\"", one.replace('"', ""))).collect();
    let (verb, file, line) = (wide("runas"), wide(program), wide(&line.join(" ")));
    // SAFETY: a structure of numbers and pointers, for which zeros are a value.
    let mut info: SHELLEXECUTEINFOW = unsafe { std::mem::zeroed() };
    info.cbSize = u32::try_from(size_of::<SHELLEXECUTEINFOW>()).unwrap_or_default();
    info.fMask = SEE_MASK_NOCLOSEPROCESS;
    info.lpVerb = verb.as_ptr();
    info.lpFile = file.as_ptr();
    info.lpParameters = line.as_ptr();
    info.nShow = SW_HIDE;
    // SAFETY: the structure says its own size; its texts end with a zero and live until the call returns.
    if unsafe { ShellExecuteExW(&mut info) } == 0 {
        return Err(io::Error::last_os_error());
    }
    if info.hProcess == null_mut() {
        return Err(io::Error::other("the program was not started"));
    }
    let mut code = u32::MAX;
    // SAFETY: the handle was asked for with the mask above, is ours, and is closed once.
    unsafe {
        WaitForSingleObject(info.hProcess, INFINITE);
        GetExitCodeProcess(info.hProcess, &mut code);
        CloseHandle(info.hProcess);
    }
    if code == 0 { Ok(()) } else { Err(io::Error::other(format!("it ended with {code}"))) }
}
