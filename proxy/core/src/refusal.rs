//! Every reason for which the proxy itself says no.
//!
//! In: the reason, and the era of the caller. Out: HTTP status, JSON-RPC code, metric label, waiting time, and the texts
//! that the caller reads. Status, code and label stand in one match, so a graph and a client's error never disagree.
//! Never here: error texts of libraries; they may hold secrets and change without notice.
//! Invariant: a modern request is never answered 404 or 405 by us, because clients take those for signals of the protocol
//! and fall back to an older revision for good.

mod echo;
pub mod fault;

use http::StatusCode;
use outrigger_model::name::RouteName;
use outrigger_model::revision::Era;

use echo::{echo, name_routes};
use fault::Fault;

/// Sessions end one by one; who waits this long finds a place or does not.
const LIMIT_WAIT_SECONDS: u32 = 10;

/// Why the proxy refuses a call. The label of each is documented and closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The head of the request cannot be read in one way only.
    #[error("request is malformed: {0}")]
    Malformed(Malformed),
    #[error("host `{host}` is not allowed")]
    HostNotAllowed { host: String },
    #[error("origin `{origin}` is not allowed")]
    OriginNotAllowed { origin: String },
    /// The body is no JSON-RPC message that can be read in one way only.
    #[error("body is no message: {0}")]
    NotAMessage(Fault),
    /// A header says something else than the body (2026-07-28 `basic/transports`, server validation).
    #[error("header `{header}` does not match the body")]
    HeaderMismatch { header: &'static str },
    #[error("body is not `application/json`")]
    NotJsonType,
    /// The caller does not send what it began to send.
    #[error("request does not come fast enough")]
    TooSlow,
    #[error("request head is too large")]
    HeadTooLarge,
    #[error("request body is larger than {bytes_max} bytes")]
    BodyTooLarge { bytes_max: u64 },
    #[error("there is no route `{name}`")]
    NoRoute { name: String, routes: Vec<RouteName> },
    /// The path is none of those that the proxy serves.
    #[error("path is not served here")]
    NoSuchPath,
    /// A whole URL, or a tunnel, to a site that the operator did not list.
    #[error("forwarding to `{site}` is not allowed")]
    ForwardNotAllowed { site: String },
    /// The site is listed, and what its name leads to is an address that may not be connected to, or one of our own.
    #[error("address of `{site}` is not forwarded to")]
    ForwardAddress { site: String },
    #[error("`{site}` cannot be reached")]
    ForwardUnreachable { site: String },
    /// The route exists and nobody serves it now.
    #[error("nobody provides `{route}`")]
    NoProvider { route: String },
    /// Every endpoint that could be tried refused the connection.
    #[error("no endpoint of `{route}` can be reached")]
    NoEndpoint { route: String },
    /// Those that are left answered badly too often in a row, and are left alone for so many seconds more.
    #[error("circuit of `{route}` is open")]
    CircuitOpen { route: String, seconds: u32 },
    /// The replica that held the session is gone, and the session with it.
    #[error("session is gone")]
    SessionGone,
    #[error("session was revoked")]
    SessionRevoked,
    #[error("session is older than sessions may become")]
    SessionAged,
    /// One more would pass a limit. `limit` is the key by which operators set it.
    #[error("{max} sessions are open, which is the limit `{limit}`")]
    SessionLimit { limit: &'static str, max: u32 },
    /// A limit on how often something is called is used up. `limit` says which, in words.
    #[error("{limit}")]
    RateLimited { limit: String, wait_seconds: u32 },
    /// The replica that holds the session cannot be reached at the moment.
    #[error("replica that holds the session cannot be reached")]
    SessionUnreachable,
    #[error("session belongs to another caller")]
    SessionOfAnotherCaller,
    /// The connection ended after the request was sent and before an answer.
    #[error("connection was lost after the request was sent")]
    UpstreamLost,
    #[error("no answer in time")]
    UpstreamTimeout,
    /// The limit on the whole call, not on the time to the first byte.
    #[error("no answer within the time for the whole call")]
    TotalTimeout,
    /// The inbound listener does not know the peer, or it may not come in.
    #[error("peer is not allowed")]
    PeerNotAllowed,
    #[error("replica `{replica}` is not here")]
    UnknownReplica { replica: String },
    #[error("agent of replica `{replica}` does not answer")]
    AgentUnreachable { replica: String },
    #[error("proxy is shutting down")]
    Draining,
    #[error("proxy has too much to do")]
    Overloaded,
    /// The operator wants this share of the calls to fail, to see what callers do.
    #[error("fault on purpose: {status}")]
    FaultInjected { status: StatusCode },
    /// Something that cannot happen did; counted, never explained to strangers.
    #[error("internal error")]
    Internal,
}

/// What is wrong with the head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it is not a head of HTTP/1.1")]
    Line,
    #[error("its target is neither a path nor an http URL, or holds what must be escaped")]
    Target,
    #[error("CONNECT and TRACE are not served")]
    Method,
    #[error("Expect is something else than one `100-continue`")]
    Expect,
    #[error("a header of its framing is spelled with `_`")]
    Disguised,
    #[error("the chunks of its body break the rules")]
    Chunk,
    #[error("there must be exactly one Host")]
    Host,
    #[error("Host is not a host with an optional port")]
    HostText,
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    LengthAndEncoding,
    #[error("Content-Length is given more than once, or is not a number")]
    Length,
    #[error("Transfer-Encoding is something else than one `chunked`")]
    Encoding,
    #[error("Origin is given more than once")]
    Origin,
    #[error("header `{0}` is given more than once")]
    Repeated(&'static str),
    #[error("Mcp-Session-Id must be 1 to 1024 visible ASCII characters")]
    SessionId,
    #[error("header `{0}` holds bytes that are not allowed there")]
    Bytes(&'static str),
}

/// How a refusal looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub status: StatusCode,
    /// JSON-RPC error code; only the standard ones, the ranges below belong to the specification.
    pub rpc: i32,
    /// `data.reason` and the metric label.
    pub label: &'static str,
    pub retry_after_seconds: Option<u32>,
    /// Whether the agent may have acted on the call.
    pub may_have_run: bool,
}

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
/// Of MCP 2026-07-28 and nobody else's: a header does not match the body.
const HEADER_MISMATCH: i32 = -32020;
const INTERNAL_ERROR: i32 = -32603;

impl Shape {
    const fn said(status: StatusCode, label: &'static str) -> Self {
        Self { status, rpc: INVALID_REQUEST, label, retry_after_seconds: None, may_have_run: false }
    }

    const fn later(label: &'static str, seconds: u32) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            rpc: INTERNAL_ERROR,
            label,
            retry_after_seconds: Some(seconds),
            may_have_run: false,
        }
    }

    /// The status that an operator wrote, within what may be said.
    const fn made_up(status: StatusCode, modern: bool) -> Self {
        match status.as_u16() {
            404 | 405 if modern => Self::later("fault_injected", 1),
            429 | 503 => Self { status, ..Self::later("fault_injected", 1) },
            400..500 => Self::said(status, "fault_injected"),
            _ => Self { status, retry_after_seconds: None, ..Self::later("fault_injected", 1) },
        }
    }

    const fn broken(status: StatusCode, label: &'static str) -> Self {
        Self { status, rpc: INTERNAL_ERROR, label, retry_after_seconds: None, may_have_run: true }
    }
}

impl Refusal {
    /// The one table. `era` is what is known of the caller; unknown counts as legacy.
    pub const fn shape(&self, era: Option<Era>) -> Shape {
        let modern = matches!(era, Some(Era::Modern));
        match self {
            Self::Malformed(_) => Shape::said(StatusCode::BAD_REQUEST, "malformed"),
            Self::NotAMessage(fault) => Shape {
                rpc: if fault.is_json() { INVALID_REQUEST } else { PARSE_ERROR },
                ..Shape::said(StatusCode::BAD_REQUEST, "not_a_message")
            },
            Self::HeaderMismatch { .. } => {
                Shape { rpc: HEADER_MISMATCH, ..Shape::said(StatusCode::BAD_REQUEST, "header_mismatch") }
            }
            Self::NotJsonType => Shape::said(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json_type"),
            Self::HostNotAllowed { .. } => Shape::said(StatusCode::FORBIDDEN, "host_not_allowed"),
            Self::OriginNotAllowed { .. } => Shape::said(StatusCode::FORBIDDEN, "origin_not_allowed"),
            Self::TooSlow => Shape::said(StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Self::HeadTooLarge => Shape::said(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large"),
            Self::BodyTooLarge { .. } => Shape::said(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::NoRoute { .. } if modern => Shape::later("no_route", 5),
            Self::NoRoute { .. } => Shape::said(StatusCode::NOT_FOUND, "no_route"),
            Self::NoSuchPath if modern => Shape::later("no_such_path", 5),
            Self::NoSuchPath => Shape::said(StatusCode::NOT_FOUND, "no_such_path"),
            Self::ForwardNotAllowed { .. } => Shape::said(StatusCode::FORBIDDEN, "forward_not_allowed"),
            Self::ForwardAddress { .. } => Shape::said(StatusCode::FORBIDDEN, "forward_address"),
            Self::ForwardUnreachable { .. } => Shape::later("forward_unreachable", 1),
            Self::NoProvider { .. } => Shape::later("no_provider", 1),
            Self::NoEndpoint { .. } => Shape::later("no_endpoint", 1),
            Self::CircuitOpen { seconds, .. } => Shape::later("circuit_open", *seconds),
            Self::SessionGone | Self::SessionRevoked | Self::SessionAged if modern => Shape::later("session_gone", 1),
            Self::SessionGone | Self::SessionRevoked | Self::SessionAged => {
                Shape::said(StatusCode::NOT_FOUND, "session_gone")
            }
            Self::SessionLimit { .. } => Shape {
                retry_after_seconds: Some(LIMIT_WAIT_SECONDS),
                ..Shape::said(StatusCode::TOO_MANY_REQUESTS, "session_limit")
            },
            Self::RateLimited { wait_seconds, .. } => Shape {
                retry_after_seconds: Some(*wait_seconds),
                ..Shape::said(StatusCode::TOO_MANY_REQUESTS, "rate_limited")
            },
            Self::SessionUnreachable => Shape::later("session_unreachable", 1),
            Self::SessionOfAnotherCaller => Shape::said(StatusCode::FORBIDDEN, "session_of_another_caller"),
            Self::UpstreamLost => Shape::broken(StatusCode::BAD_GATEWAY, "upstream_lost"),
            Self::UpstreamTimeout => Shape::broken(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            Self::TotalTimeout => Shape::broken(StatusCode::GATEWAY_TIMEOUT, "total_timeout"),
            Self::PeerNotAllowed => Shape::said(StatusCode::FORBIDDEN, "peer_not_allowed"),
            Self::UnknownReplica { .. } => Shape::later("unknown_replica", 1),
            Self::AgentUnreachable { .. } => Shape::later("agent_unreachable", 1),
            Self::Draining => Shape::later("draining", 1),
            Self::Overloaded => Shape::later("overloaded", 1),
            Self::FaultInjected { status } => Shape::made_up(*status, modern),
            Self::Internal => Shape {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                rpc: INTERNAL_ERROR,
                label: "internal",
                retry_after_seconds: None,
                may_have_run: false,
            },
        }
    }

    /// The metric label; it does not depend on the caller.
    pub const fn label(&self) -> &'static str {
        self.shape(None).label
    }

    /// Whether an inbound listener that refuses this way has sent nothing to the agent, and says so to the calling proxy
    /// in the header [`REFUSAL_HEADER`](crate::outcome::REFUSAL_HEADER).
    pub const fn reached_nobody(&self) -> bool {
        matches!(self, Self::UnknownReplica { .. } | Self::AgentUnreachable { .. } | Self::Draining | Self::Overloaded)
    }

    /// The limit that a session would have passed, by the key of the configuration.
    pub const fn limit(&self) -> Option<&'static str> {
        match self {
            Self::SessionLimit { limit, .. } => Some(limit),
            _ => None,
        }
    }

    /// One sentence for people: what happened.
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed(what) => format!("the request is malformed: {what}"),
            Self::NotAMessage(fault) => format!("the body is no JSON-RPC message: {fault}"),
            Self::HeaderMismatch { header } => format!("the header `{header}` does not say what the body says"),
            Self::NotJsonType => "this route reads bodies, and this one is not `application/json`".to_owned(),
            Self::HostNotAllowed { host } => format!("this listener does not answer for the host `{}`", echo(host)),
            Self::OriginNotAllowed { origin } => format!("the origin `{}` may not call this listener", echo(origin)),
            Self::TooSlow => "the request did not come fast enough".to_owned(),
            Self::HeadTooLarge => "the request head has too many or too large headers".to_owned(),
            Self::BodyTooLarge { bytes_max } => format!("the request body is larger than {bytes_max} bytes"),
            Self::NoRoute { name, .. } => format!("there is no route, agent or replica named `{}`", echo(name)),
            Self::NoSuchPath => "this path is not served here".to_owned(),
            Self::ForwardNotAllowed { site } => format!("this proxy does not forward to `{}`", echo(site)),
            Self::ForwardAddress { site } => format!("`{}` is at an address that is not forwarded to", echo(site)),
            Self::ForwardUnreachable { site } => format!("`{}` accepts no connections", echo(site)),
            Self::NoProvider { route } => format!("no agent provides `{}` now", echo(route)),
            Self::NoEndpoint { route } => format!("no replica behind `{}` accepts connections", echo(route)),
            Self::CircuitOpen { route, .. } => {
                format!("the replicas behind `{}` answered badly and are left alone for a while", echo(route))
            }
            Self::SessionGone => "the replica that held this session is gone, and the session with it".to_owned(),
            Self::SessionRevoked => "an operator ended this session".to_owned(),
            Self::SessionAged => "this session is older than sessions may become".to_owned(),
            Self::SessionLimit { limit, max } => {
                format!("{max} sessions are open, which is the most by `settings.{limit}`")
            }
            Self::RateLimited { limit, .. } => format!("{limit}, and there are none left now"),
            Self::SessionUnreachable => "the replica that holds this session cannot be reached now".to_owned(),
            Self::SessionOfAnotherCaller => "this session was opened by another caller".to_owned(),
            Self::UpstreamLost => "the connection to the agent was lost before it answered".to_owned(),
            Self::UpstreamTimeout => "the agent did not answer in time".to_owned(),
            Self::TotalTimeout => "the call took longer than it may in all".to_owned(),
            Self::PeerNotAllowed => "this listener serves the proxies of the mesh only".to_owned(),
            Self::UnknownReplica { replica } => format!("replica `{}` is not behind this proxy", echo(replica)),
            Self::AgentUnreachable { replica } => {
                format!("the agent behind replica `{}` accepts no connections", echo(replica))
            }
            Self::Draining => "this proxy is shutting down".to_owned(),
            Self::Overloaded => "this proxy is at its limits".to_owned(),
            Self::FaultInjected { .. } => "the operator of the mesh lets this share of the calls fail".to_owned(),
            Self::Internal => "something went wrong inside the proxy".to_owned(),
        }
    }

    /// What the reader can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Malformed(_) => "send each of these headers once and in its plain form".to_owned(),
            Self::NotAMessage(_) => "send one JSON-RPC message in UTF-8, with each key once".to_owned(),
            Self::HeaderMismatch { .. } => "send in the header exactly what stands in the body".to_owned(),
            Self::NotJsonType => "send JSON, not encoded, as `Content-Type: application/json`".to_owned(),
            Self::HostNotAllowed { .. } => "call 127.0.0.1 or localhost, or add the host to `allowed_hosts`".to_owned(),
            Self::OriginNotAllowed { .. } => "add the origin to `allowed_origins` if it is yours".to_owned(),
            Self::TooSlow => {
                "send the whole request at once, or raise `limits.head_ms` and `limits.body_grace_ms`".to_owned()
            }
            Self::HeadTooLarge => "send fewer or shorter headers, or raise `limits.header_bytes_max`".to_owned(),
            Self::BodyTooLarge { .. } => "send less at once, or raise `limits.body_bytes_max`".to_owned(),
            Self::NoRoute { routes, .. } => name_routes(routes),
            Self::NoSuchPath => "paths are /mcp, /<name>/mcp and /agents/<id>/mcp".to_owned(),
            Self::ForwardNotAllowed { .. } => {
                "list it in `forward.allow`, or map the URL to a route in `forward.routes`".to_owned()
            }
            Self::ForwardAddress { .. } => "list the address itself in `forward.allow` if it is meant".to_owned(),
            Self::ForwardUnreachable { .. } => "see that it is running and that its name resolves here".to_owned(),
            Self::NoProvider { route } => format!("ask `outrigger explain {}` why nobody fits", echo(route)),
            Self::NoEndpoint { .. } => {
                "ask `outrigger get agents` which replicas are healthy, then try again".to_owned()
            }
            Self::CircuitOpen { .. } => {
                "see `/clusters` of the proxy and the log of the agent, and try again when the time is over".to_owned()
            }
            Self::SessionGone | Self::SessionRevoked | Self::SessionAged => {
                "initialize again to open a new session".to_owned()
            }
            Self::SessionLimit { .. } => "close sessions that are done with (DELETE), or raise the limit".to_owned(),
            Self::RateLimited { wait_seconds, .. } => {
                format!("try again in {wait_seconds} s, or raise the limit in `rates`")
            }
            Self::SessionUnreachable => "try again; the session is kept for a few seconds".to_owned(),
            Self::SessionOfAnotherCaller => "initialize to open a session of your own".to_owned(),
            Self::UpstreamLost => "the call may have run; check before sending it again".to_owned(),
            Self::UpstreamTimeout => {
                "the call may have run; raise `first_byte_ms` of its class in the `timeouts` of the route".to_owned()
            }
            Self::TotalTimeout => {
                "the call may have run; raise `total_ms` of its class in the `timeouts` of the route".to_owned()
            }
            Self::PeerNotAllowed => "use a certificate of this mesh, issued with `outrigger ca issue`".to_owned(),
            Self::UnknownReplica { .. } => {
                "the replica moved or left; `outrigger get agents` knows where to".to_owned()
            }
            Self::AgentUnreachable { .. } => "see the log of the agent; calls go to its other replicas".to_owned(),
            Self::Draining | Self::Overloaded => "try again in a moment".to_owned(),
            Self::FaultInjected { .. } => {
                "nothing ran; `faults` of the route in control.yaml say how many fail".to_owned()
            }
            Self::Internal => "see the log of the proxy".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
