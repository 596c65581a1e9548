//! Who runs on which core, so that the measured proxy has one to itself as far as the machine allows.
//!
//! With two cores, agent and generator share the second; with more, each has its own.

use std::process::Command;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    pub proxy: usize,
    pub agent: usize,
    pub generator: usize,
}

impl Cores {
    pub fn of_this_machine() -> Self {
        Self::among(std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn among(count: usize) -> Self {
        let last = count.saturating_sub(1);
        Self { proxy: 0, agent: 1.min(last), generator: 2.min(last) }
    }

    /// Moves this process to the generator's core, before it starts threads. `false` if that is not possible here.
    pub fn take_mine(self) -> bool {
        let arguments = ["-a", "-p", "-c", &self.generator.to_string(), &std::process::id().to_string()];
        let moved = Command::new("taskset").args(arguments).output();
        moved.is_ok_and(|output| output.status.success())
    }
}

#[cfg(test)]
mod tests;
