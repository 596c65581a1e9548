//! Which requests are for the registry, by method and path alone.
//!
//! In: a method and a path. Out: a [`Door`], or nothing where the path may be a call's.
//! Invariant: what names an MCP endpoint or what lies beside one is never taken from it.

use outrigger_proxy_core::asked::Asked;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door<'a> {
    /// `POST /heartbeat`: an agent registers, or says everything anew.
    Heartbeat,
    /// `HEAD /heartbeat/{id}`: an agent is alive, and asks whether anything changed for it.
    Pulse(&'a str),
    /// `DELETE /agents/{id}`: an agent leaves.
    Leave(&'a str),
    /// `POST /jobs/claim`: an agent with tasks asks for work.
    Claim,
    /// Everything else about jobs.
    Jobs,
    /// `GET /health`
    Health,
    /// `GET /`
    Front,
    /// What only control can tell.
    Control,
    /// `POST /api/v1/mcp/{service}/execute`: a tool is called by plain HTTP.
    Execute(&'a str),
    /// A path of the registry, and a method that it does not have there.
    Method,
}

impl<'a> Door<'a> {
    pub fn of(method: &[u8], path: &'a str) -> Option<Self> {
        let inner = path.strip_prefix('/')?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let reads = matches!(method, b"GET" | b"HEAD");
        let door = match (method, inner) {
            (b"POST", "heartbeat") => Self::Heartbeat,
            (b"POST", "jobs/claim") => Self::Claim,
            (_, "") if reads => Self::Front,
            (_, "health") if reads => Self::Health,
            (_, "agents" | "events" | "schemas" | "a2a/agents") if reads => Self::Control,
            (_, "jobs" | "jobs/claim") => Self::Jobs,
            (_, "" | "heartbeat" | "health" | "agents" | "events" | "schemas" | "a2a/agents") => Self::Method,
            _ => return Self::below(method, inner, path),
        };
        Some(door)
    }

    fn below(method: &[u8], inner: &'a str, path: &str) -> Option<Self> {
        let (front, rest) = inner.split_once('/')?;
        let is_one = !rest.is_empty() && !rest.contains('/');
        let door = match (front, method) {
            ("heartbeat", b"HEAD") if is_one => Self::Pulse(rest),
            ("agents", b"DELETE") if is_one => Self::Leave(rest),
            // A route may be called like one of these, and what lies beside its endpoint is its own.
            _ if Asked::of(path).is_some() => return None,
            ("heartbeat", _) if is_one => Self::Method,
            ("jobs", _) => Self::Jobs,
            ("agents" | "schemas" | "trace" | "proxy" | "admin", _) => Self::Control,
            ("api", b"POST") => Self::Execute(service(rest)?),
            ("api", _) => service(rest).map(|_| Self::Method)?,
            _ => return None,
        };
        Some(door)
    }
}

fn service(rest: &str) -> Option<&str> {
    let service = rest.strip_prefix("v1/mcp/")?.strip_suffix("/execute")?;
    (!service.is_empty() && !service.contains('/')).then_some(service)
}

#[cfg(test)]
mod tests;
