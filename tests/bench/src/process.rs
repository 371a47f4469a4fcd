//! What the system knows of a process.

use std::fs;

/// At one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Private memory, KiB.
    pub(crate) anonymous: u64,
    pub(crate) threads: usize,
    pub(crate) files: usize,
    pub(crate) sockets: usize,
    /// Time on a processor, in nanoseconds, in steps of a hundredth of a second; that of threads that have ended counts.
    pub(crate) cpu: u64,
    /// How often a thread of it that still lives was put on a processor.
    pub(crate) switches: u64,
}

/// Looks at a process now.
pub(crate) fn look(pid: u32) -> Seen {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mut seen = Seen { anonymous: field(&status, "RssAnon:"), cpu: cpu(pid), ..Seen::default() };
    for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
        seen.threads += 1;
        // A thread may end at any moment.
        let of = |name: &str| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let status = of("status");
        seen.switches +=
            field(&status, "voluntary_ctxt_switches:") + field(&status, "nonvoluntary_ctxt_switches:");
    }
    for file in fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
        seen.files += 1;
        let target = fs::read_link(file.path()).unwrap_or_default();
        seen.sockets += usize::from(target.to_string_lossy().starts_with("socket:"));
    }
    seen
}

/// In user mode and in the kernel, of all threads there ever were.
fn cpu(pid: u32) -> u64 {
    /// What the kernel counts in, whatever it ticks in itself.
    const NANOSECONDS: u64 = 1_000_000_000 / 100;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, in parentheses, may hold spaces. The two are the twelfth and thirteenth behind it.
    let (_, rest) = stat.rsplit_once(')').unwrap();
    rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap() * NANOSECONDS).sum()
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Microseconds since 1970, as the sandbox counts them too.
#[expect(clippy::disallowed_methods, reason = "compared with the sandbox's own clock")]
pub(crate) fn now_us() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}
