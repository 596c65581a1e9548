//! How an agent wants calls of it to travel, as it registers: the `timeout`, `retry_count`, `custom_headers` and `streaming` of mcp-mesh.
//!
//! In: what it wrote. Out: [`Calls`].
//! Never here: whether a call may run twice. An agent that asks for retries gets more attempts, not other rules.
//! Invariant: a header that says where a message ends, where it goes or who sends it cannot be asked for.

use std::fmt;
use std::time::Duration;

use crate::field::{is_token, is_value};
use crate::traffic::{HEADER_EDITS_MAX, HEADER_VALUE_BYTES_MAX, HeaderEdits, is_protected};

/// Most attempts after the first that an agent can ask for.
const RETRY_COUNT_MAX: u8 = 9;
const NAME_BYTES_MAX: usize = 128;

/// The same as it was written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WrittenCalls {
    pub timeout_ms: Option<u32>,
    pub retry_count: Option<u32>,
    pub headers: Vec<(String, String)>,
    pub streaming: bool,
}

/// What an agent asks for; what it does not say is as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Calls {
    /// To the head of an answer, and between two bytes of it.
    timeout: Option<Duration>,
    /// Attempts after the first.
    retry_count: Option<u8>,
    /// What calls get in place of what their callers wrote, sorted by name.
    headers: HeaderEdits,
    /// An answer may take as long as it likes once it began.
    streaming: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCalls {
    #[error("timeout: zero would fail every call")]
    Timeout,
    #[error("retry_count: {0} is more than {RETRY_COUNT_MAX}")]
    RetryCount(u32),
    #[error("headers: {0} are more than {HEADER_EDITS_MAX}")]
    ManyHeaders(usize),
    #[error("headers: `{0}` is not the name of a header")]
    HeaderName(String),
    #[error("headers: `{0}` is the mesh's own to write")]
    Reserved(String),
    #[error("headers: `{0}` is there twice")]
    Twice(String),
    /// The value may be a secret and is not repeated.
    #[error("headers: the value of `{0}` is too long, or holds what no header may")]
    HeaderValue(String),
}

impl TryFrom<WrittenCalls> for Calls {
    type Error = BadCalls;

    fn try_from(written: WrittenCalls) -> Result<Self, BadCalls> {
        let WrittenCalls { timeout_ms, retry_count, headers, streaming } = written;
        if timeout_ms == Some(0) {
            return Err(BadCalls::Timeout);
        }
        let retry_count = match retry_count {
            None => None,
            Some(count) => match u8::try_from(count) {
                Ok(count) if count <= RETRY_COUNT_MAX => Some(count),
                _ => return Err(BadCalls::RetryCount(count)),
            },
        };
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        let headers = HeaderEdits { set: checked(headers)?, ..HeaderEdits::default() };
        Ok(Self { timeout, retry_count, headers, streaming })
    }
}

impl Calls {
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    pub fn written(&self) -> WrittenCalls {
        WrittenCalls {
            timeout_ms: self.timeout.map(|timeout| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX)),
            retry_count: self.retry_count.map(u32::from),
            headers: self.headers.set.clone(),
            streaming: self.streaming,
        }
    }

    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    pub const fn retry_count(&self) -> Option<u8> {
        self.retry_count
    }

    pub const fn headers(&self) -> &HeaderEdits {
        &self.headers
    }

    /// The same for who only looks.
    #[must_use]
    pub fn without_values(&self) -> Self {
        Self { headers: self.headers.without_values(), ..self.clone() }
    }

    pub const fn is_streaming(&self) -> bool {
        self.streaming
    }
}

impl fmt::Debug for WrittenCalls {
    /// Values may be secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        let mut told = out.debug_struct("WrittenCalls");
        told.field("timeout_ms", &self.timeout_ms).field("retry_count", &self.retry_count).field("headers", &names);
        told.field("streaming", &self.streaming).finish()
    }
}

fn checked(headers: Vec<(String, String)>) -> Result<Vec<(String, String)>, BadCalls> {
    if headers.len() > HEADER_EDITS_MAX {
        return Err(BadCalls::ManyHeaders(headers.len()));
    }
    let shown = |name: &str| name.chars().take(64).collect::<String>();
    let mut checked = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name.len() > NAME_BYTES_MAX || !is_token(&name) {
            return Err(BadCalls::HeaderName(shown(&name)));
        }
        if is_protected(&name) {
            return Err(BadCalls::Reserved(name));
        }
        if value.len() > HEADER_VALUE_BYTES_MAX || !is_value(&value) {
            return Err(BadCalls::HeaderValue(name));
        }
        checked.push((name, value));
    }
    checked.sort();
    match checked.windows(2).find(|pair| pair.first().map(|(name, _)| name) == pair.last().map(|(name, _)| name)) {
        Some(pair) => Err(BadCalls::Twice(pair.first().map(|(name, _)| name.clone()).unwrap_or_default())),
        None => Ok(checked),
    }
}

#[cfg(test)]
mod tests;
