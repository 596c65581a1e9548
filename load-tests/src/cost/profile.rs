//! Reads what callgrind writes: instructions of every function, and who called whom how often.
//!
//! In: the text of one dump, with names spelled out. Out: a [`Profile`].
//! Invariant: an allocation is a call from outside the allocator into it, so that what it does inside is not counted again.

use std::collections::BTreeMap;

/// Of one stretch of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    pub instructions: u64,
    /// Calls of an allocator that give memory, new or moved.
    pub allocations: u64,
    /// Calls of `memcpy` and `memmove`; short copies are instructions in place and not among them.
    pub copies: u64,
    /// Instructions of each function by itself.
    pub functions: BTreeMap<String, u64>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("callgrind wrote no sum; was it interrupted?")]
pub struct NoSumError;

impl Profile {
    pub fn parse(text: &str) -> Result<Self, NoSumError> {
        let mut profile = Self::default();
        let (mut caller, mut callee) = ("", "");
        let mut sum = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("fn=") {
                caller = name;
            } else if let Some(name) = line.strip_prefix("cfn=") {
                callee = name;
            } else if let Some(rest) = line.strip_prefix("calls=") {
                let times = rest.split(' ').next().and_then(|times| times.parse().ok()).unwrap_or_default();
                profile.called(caller, callee, times);
                // What the callee cost stands in the next line, and again with the callee itself.
                lines.next();
            } else if let Some(rest) = line.strip_prefix("totals: ") {
                sum = rest.trim().parse().ok();
            } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                let own = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok()).unwrap_or_default();
                *profile.functions.entry(caller.to_owned()).or_default() += own;
            }
        }
        profile.instructions = sum.ok_or(NoSumError)?;
        Ok(profile)
    }

    fn called(&mut self, caller: &str, callee: &str, times: u64) {
        let (caller, callee) = (plain(caller), plain(callee));
        if gives_memory(callee) && !is_allocator(caller) {
            self.allocations += times;
        }
        if callee.contains("memcpy") || callee.contains("memmove") {
            self.copies += times;
        }
    }
}

/// A name without the version that the linker keeps with it, and without the depth of recursion that callgrind adds.
fn plain(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once('\'') {
        Some((plain, depth)) if depth.bytes().all(|byte| byte.is_ascii_digit()) => plain,
        _ => name,
    }
}

/// mimalloc's own functions, of which several stand between its doors and its pages.
fn is_allocator(name: &str) -> bool {
    name.starts_with("mi_") || name.starts_with("_mi_")
}

/// mimalloc's doors, and those of the C library for what is not ours.
fn gives_memory(name: &str) -> bool {
    let of_c = ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign"];
    name.starts_with("mi_") && name.contains("alloc") || of_c.contains(&name)
}

#[cfg(test)]
mod tests;
