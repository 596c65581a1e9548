//! How much memory this process may have: the least that a control group of its own allows (v2 and v1), or what the machine has.
//!
//! In: the root of a file system, `/` but for tests. Out: bytes; none where nothing says it.
//! Never here: how much is used.

use std::fs;
use std::path::Path;

/// Without a limit version 1 says about this much.
const NO_LIMIT: u64 = 1 << 60;

pub(super) fn read(root: &Path) -> Option<u64> {
    let machine = machine(root);
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().flat_map(|line| of_group(root, line));
    limits.chain(machine).min()
}

fn machine(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1_024)
}

/// The limits of one group and of those around it: any of them ends the process. `line` is `number:controllers:path`.
fn of_group(root: &Path, line: &str) -> Vec<u64> {
    let mut parts = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (mount, file) = if controllers.is_empty() {
        ("sys/fs/cgroup", "memory.max")
    } else if controllers.split(',').any(|controller| controller == "memory") {
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
    } else {
        return Vec::new();
    };
    let mount = root.join(mount);
    // Seen from inside a container the path may be that of the host, and the mount the group itself.
    let groups = Path::new(path.trim_start_matches('/')).ancestors();
    groups.filter_map(|group| limit(&mount.join(group).join(file))).collect()
}

/// `max` is no limit.
fn limit(file: &Path) -> Option<u64> {
    let bytes = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (bytes < NO_LIMIT).then_some(bytes)
}

#[cfg(test)]
mod tests;
