//! A route: the local name that leads to a pool, and the rules on the way.
//!
//! In: intent, or the name of an agent or capability. Out: a [`Route`].

use std::time::Duration;

use crate::calls::Calls;
use crate::key::SessionPolicy;
use crate::name::{PoolName, RouteName};
use crate::rate::RateLimit;
use crate::retries::Retries;
use crate::traffic::Traffic;

/// Which state a call must follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Affinity {
    /// Keys first, then the calling agent.
    #[default]
    Auto,
    /// The calling agent only: all its calls go to one replica while that one lives.
    Agent,
    /// Keys only: what carries none is balanced.
    Keys,
    /// Every call is balanced. For servers known to hold no state.
    None,
}

/// How long each phase of a call may take, by what kind of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// TCP and TLS to the endpoint.
    pub connect: Duration,
    pub quick: Limits,
    pub call: Limits,
    pub stream: Limits,
    /// How long an event stream may be quiet before its caller is sent a comment. `None`: it is never sent one.
    pub keep_alive: Option<Duration>,
}

/// How long a call of one class may take. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// From the sent request to the head of the answer.
    pub first_byte: Option<Duration>,
    /// Between two bytes of an answer.
    pub idle: Option<Duration>,
    /// From the head of the request to the last byte of the answer, whatever comes meanwhile.
    pub total: Option<Duration>,
}

/// How patient a call is; each class has limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeClass {
    /// Lists, reads, `initialize`, `server/discover`, `tasks/*`, notifications, DELETE: answered at once by a server that works.
    Quick,
    /// `tools/call` and what may take as long as a tool does.
    Call,
    /// GET streams and `subscriptions/listen`: open for as long as the caller wants.
    Stream,
}

/// A name that callers use, where it leads, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub name: RouteName,
    pub pool: PoolName,
    pub policy: RoutePolicy,
}

/// How calls of a route travel. The default is what suits most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RoutePolicy {
    pub affinity: Affinity,
    /// Whether the body of every call is read and compared with its head, also where the head tells all.
    pub inspect: bool,
    pub sessions: SessionPolicy,
    pub timeouts: Timeouts,
    pub retries: Retries,
    /// Of calls that leave for the route; at most [`RATES_MAX`](crate::rate::RATES_MAX).
    pub rates: Vec<RateLimit>,
    pub traffic: Traffic,
}

impl RoutePolicy {
    /// Of a route that no operator declared, to what wants its calls to travel like this.
    pub fn wanted(calls: &Calls) -> Self {
        let retries = Retries::default();
        let attempts = calls.retry_count().map_or(retries.attempts, |count| count.saturating_add(1));
        let headers = calls.headers().clone();
        Self {
            timeouts: Timeouts::wanted(calls),
            retries: Retries { attempts, ..retries },
            traffic: Traffic { headers, ..Traffic::default() },
            ..Self::default()
        }
    }
}

impl Timeouts {
    fn wanted(calls: &Calls) -> Self {
        let usual = Self::default();
        let Limits { first_byte, idle, total } = usual.call;
        let first_byte = calls.timeout().or(first_byte);
        let call = match calls.is_streaming() {
            true => Limits { first_byte, idle: None, total: None },
            // Who wants longer than a call may take in all means it.
            false => Limits { first_byte, idle: calls.timeout().or(idle), total: total.max(calls.timeout()) },
        };
        Self { call, ..usual }
    }

    pub const fn of(&self, class: TimeClass) -> Limits {
        match class {
            TimeClass::Quick => self.quick,
            TimeClass::Call => self.call,
            TimeClass::Stream => self.stream,
        }
    }
}

impl Limits {
    pub const NONE: Self = Self { first_byte: None, idle: None, total: None };
}

impl TimeClass {
    pub const ALL: [Self; 3] = [Self::Quick, Self::Call, Self::Stream];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Call => "call",
            Self::Stream => "stream",
        }
    }
}

impl Default for Timeouts {
    /// 1.5 s to connect, which is long enough for one lost SYN (the kernel sends the next after 1 s) and keeps a call that meets a silent
    /// host below 2 s. 300 s to the head of the answer to a call, because a tool may answer in one JSON at its very end. A stream is quiet
    /// for as long as nothing happens, so nothing but its beginning is limited.
    fn default() -> Self {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        Self {
            connect: Duration::from_millis(1_500),
            quick: Limits { first_byte: seconds(30), idle: seconds(30), total: seconds(60) },
            call: Limits { first_byte: seconds(300), idle: seconds(300), total: seconds(3_600) },
            stream: Limits { first_byte: seconds(30), ..Limits::NONE },
            keep_alive: None,
        }
    }
}

impl Affinity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Agent => "agent",
            Self::Keys => "keys",
            Self::None => "none",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Agent, Self::Keys, Self::None].into_iter().find(|affinity| affinity.as_str() == text)
    }

    /// Whether keys in a call (a session id) decide where it goes.
    pub const fn follows_keys(self) -> bool {
        matches!(self, Self::Auto | Self::Keys)
    }

    /// Whether calls of one agent stay together when no key decides.
    pub const fn follows_agent(self) -> bool {
        matches!(self, Self::Auto | Self::Agent)
    }
}

#[cfg(test)]
mod tests;
