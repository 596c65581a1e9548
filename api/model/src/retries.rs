//! When a call of a route is tried again, and how long that may go on.
//!
//! In: intent. Out: [`Retries`].
//! Never here: whether one attempt may be followed by another; that depends on what was sent, and the proxy's core decides.

use std::time::Duration;

use crate::tool_pattern::ToolPattern;

/// Most attempts of one call that an operator can ask for, the first included.
pub const ATTEMPTS_MAX: u8 = 10;
/// Largest body that can be kept for another attempt, in bytes.
pub const KEPT_BODY_BYTES_MAX: u32 = 1 << 20;

/// What an operator allows to be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Retries {
    /// The first included: 1 is none again, at most [`ATTEMPTS_MAX`].
    pub attempts: u8,
    /// From the sent request to the head of its answer, for each attempt that may be followed by another. `None`: only the limits of the
    /// whole call hold.
    pub per_try: Option<Duration>,
    pub backoff: Backoff,
    pub budget: Budget,
    /// Tools that may run twice: calls of them are tried again as reads are.
    pub tools: Vec<ToolPattern>,
    /// Whether tools that say of themselves that they only read, or are idempotent, are believed. The specification calls these hints
    /// untrusted unless the server is trusted (MCP 2026-07-28 `server/tools`).
    pub trust_hints: bool,
    /// After how long without the head of an answer a read is also sent to another replica. `None`: never.
    pub hedge_after: Option<Duration>,
    /// Calls with a larger body are only sent again if no byte of them was sent.
    pub body_bytes_max: u32,
}

/// The pause before the n-th repetition is a random part of `first * 2^(n - 1)`, at most `longest`. Where nothing reached anybody there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

/// How much of its load a pool gets once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Of the calls of the last ten seconds, 0 to 100.
    pub percent: u8,
    /// So many in each second are allowed in any case, so that a quiet pool can try again at all.
    pub per_second_min: u16,
}

impl Default for Retries {
    /// As Envoy and Linkerd do where they can be compared: a fifth of the load, three attempts, 25 ms that double.
    fn default() -> Self {
        Self {
            attempts: 3,
            per_try: None,
            backoff: Backoff { first: Duration::from_millis(25), longest: Duration::from_millis(250) },
            budget: Budget { percent: 20, per_second_min: 10 },
            tools: Vec::new(),
            trust_hints: false,
            hedge_after: None,
            body_bytes_max: Self::BODY_BYTES_USUAL,
        }
    }
}

impl Retries {
    /// How much of a body is kept where nobody says it.
    pub const BODY_BYTES_USUAL: u32 = 64 * 1024;

    /// Whether a tool is named as one that may run twice.
    pub fn names(&self, tool: &str) -> bool {
        self.tools.iter().any(|pattern| pattern.matches(tool))
    }
}
