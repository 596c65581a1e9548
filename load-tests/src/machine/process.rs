//! CPU time and resident memory of a process with all its children, and CPU time of the whole machine.
//!
//! In: `/proc`. Out: sums.
//! Invariant: time of children that ended and were waited for is not counted; peers do not end workers while measured.

use std::fs;
use std::time::Duration;

/// The kernel counts in ticks of 1/100 s on every Linux that we run on.
const TICK: Duration = Duration::from_millis(10);

#[derive(Debug, thiserror::Error)]
#[error("process {0} cannot be read; did it end?")]
pub struct GoneError(pub u32);

/// Fields of `/proc/PID/stat` behind the name, counted from there.
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;

/// User and system time of a process and its living descendants.
pub fn cpu(pid: u32) -> Result<Duration, GoneError> {
    let mut ticks = 0;
    for pid in family(pid) {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|_| GoneError(pid))?;
        ticks += stat_ticks(&text).ok_or(GoneError(pid))?;
    }
    Ok(TICK.saturating_mul(ticks))
}

/// Resident memory of a process and its living descendants, in KiB. Pages they share are counted for each.
pub fn resident_kib(pid: u32) -> Result<u64, GoneError> {
    status(pid, "VmRSS:")
}

/// The highest that it ever was, added up over the same processes.
pub fn resident_peak_kib(pid: u32) -> Result<u64, GoneError> {
    status(pid, "VmHWM:")
}

fn status(pid: u32, field: &str) -> Result<u64, GoneError> {
    let mut kib = 0;
    for pid in family(pid) {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).map_err(|_| GoneError(pid))?;
        kib += status_kib(&text, field).ok_or(GoneError(pid))?;
    }
    Ok(kib)
}

/// Open sockets of a process and its living descendants.
pub fn sockets(pid: u32) -> Result<u64, GoneError> {
    let mut count = 0;
    for pid in family(pid) {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).map_err(|_| GoneError(pid))?;
        let links = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        count += links.filter(|link| link.to_string_lossy().starts_with("socket:")).count() as u64;
    }
    Ok(count)
}

/// Busy time of the whole machine since it started.
pub fn machine_busy() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    TICK.saturating_mul(busy_ticks(&text).unwrap_or_default())
}

fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        let text = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        family.extend(text.split_whitespace().filter_map(|text| text.parse::<u32>().ok()));
        at += 1;
    }
    family
}

fn stat_ticks(text: &str) -> Option<u32> {
    // The name stands in brackets and may hold anything.
    let (_, rest) = text.rsplit_once(") ")?;
    let field = |at| rest.split(' ').nth(at)?.parse::<u32>().ok();
    Some(field(USER_TIME)? + field(SYSTEM_TIME)?)
}

fn status_kib(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The sum over user, nice, system, interrupts; not idle, not waiting, not stolen.
fn busy_ticks(text: &str) -> Option<u32> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = line.split_whitespace().filter_map(|text| text.parse().ok()).collect();
    let busy = [0, 1, 2, 5, 6].iter().filter_map(|at| fields.get(*at)).sum::<u64>();
    u32::try_from(busy).ok()
}

#[cfg(test)]
mod tests;
