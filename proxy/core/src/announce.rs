//! Servers of 2024-11-05: the URI that the first event of a stream announces, and what becomes of it on its way to the client.
//!
//! In: the first bytes of a stream; the URI in them, and who sent it. Out: the path that messages go to, or the URI that is passed on.
//! The proxy beside the agent keeps the agent's path and passes on `…?outrigger-message=REPLICA.TOKEN` on the path it was called by;
//! the calling proxy puts the path in front that its client called. So a client's POST names the replica, and the token what the
//! agent announced there. Nothing else of an agent can be reached this way.
//! Source: 2024-11-05 `basic/transports`, HTTP with SSE.
//! Never here: which stream a token lives as long as.

use std::fmt;
use std::ops::Range;

use http::StatusCode;

use crate::http1::field::{Fields, Name};
use crate::http1::head::ResponseHead;
use crate::site::Site;

/// The first event is waited for in so many bytes; what is longer announces nothing.
pub const EVENT_BYTES_MAX: usize = 16 * 1024;
/// Longest path that is kept for a stream.
const PATH_BYTES_MAX: usize = 2 * 1024;
const QUERY: &str = "outrigger-message=";

/// What the beginning of a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum First {
    /// Not enough came to tell.
    Unknown,
    /// No announcement; the stream passes as it is.
    Other,
    /// An announcement, which ends at `end`; its URI stands at `uri`.
    Announcement { uri: Range<usize>, end: usize },
}

/// Names what an agent announced, among all of one proxy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub [u8; 16]);

/// Where a message of a client goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    pub replica: &'a str,
    pub token: Token,
    /// What stood in the agent's own URI; some clients look for an id there.
    pub query: &'a str,
}

/// Whether an answer to a GET may begin with an announcement: later revisions have a session there, or a revision in the request.
pub fn may_announce(method: &[u8], asked: &Fields, answer: &ResponseHead) -> bool {
    if method != b"GET" || answer.status != StatusCode::OK {
        return false;
    }
    let is_stream = answer.fields.media().is_some_and(|media| media.eq_ignore_ascii_case(b"text/event-stream"));
    let encoded = answer.fields.has(Name::ContentEncoding);
    let later = asked.has(Name::McpProtocolVersion)
        || asked.has(Name::McpSessionId)
        || asked.has(Name::LastEventId)
        || answer.fields.has(Name::McpSessionId);
    is_stream && !encoded && !later
}

/// Looks at the beginning of a stream.
pub fn first(stream: &[u8]) -> First {
    let seen = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut at = stream.len() - seen.len();
    let (mut named, mut uri) = (false, None);
    while let Some((line, next)) = line(stream, at) {
        match stream.get(line.clone()).unwrap_or_default() {
            [] => {
                return match uri {
                    Some(uri) if named => First::Announcement { uri, end: next },
                    _ => First::Other,
                };
            }
            text => match field(text) {
                (b"event", value) if text.get(value.clone()) == Some(b"endpoint") => named = true,
                // Every server of that revision names the event first; others need not wait for the end of theirs.
                (b"data", value) if named && uri.is_none() => {
                    uri = Some(line.start + value.start..line.start + value.end)
                }
                (b"event" | b"data", _) => return First::Other,
                _ => {}
            },
        }
        at = next;
    }
    if stream.len() < EVENT_BYTES_MAX { First::Unknown } else { First::Other }
}

/// The line that begins at `at`, and where the next one does; none if its end did not come.
fn line(stream: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let rest = stream.get(at..)?;
    let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let end = at + length;
    let next = match (stream.get(end)?, stream.get(end + 1)) {
        (b'\r', Some(b'\n')) => end + 2,
        // A CR alone ends a line, and at the end of what came it may be half of an end.
        (b'\r', None) => return None,
        _ => end + 1,
    };
    Some((at..end, next))
}

/// The name of a field and where its value stands in the line.
fn field(line: &[u8]) -> (&[u8], Range<usize>) {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return (line, line.len()..line.len()) };
    let start = if line.get(colon + 1) == Some(&b' ') { colon + 2 } else { colon + 1 };
    (line.get(..colon).unwrap_or_default(), start..line.len())
}

/// The path and query that an agent announced, if they are its own: `site` and `endpoint` are those of its URL.
pub fn of_agent(uri: &[u8], site: &Site, endpoint: &str) -> Option<String> {
    let text = std::str::from_utf8(uri).ok()?.trim();
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>'));
    if text.is_empty() || !is_plain {
        return None;
    }
    let path = match whole(text) {
        Some((authority, rest)) if Site::parse(authority, Some(80)).is_some_and(|there| there.is_at(site)) => {
            if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
        }
        Some(_) => return None,
        None if text.starts_with('/') => text.to_owned(),
        None if text.starts_with('?') => format!("{endpoint}{text}"),
        // A scheme that is not http.
        None if text.split(['/', '?']).next().is_some_and(|first| first.contains(':')) => return None,
        None => format!("{}{text}", endpoint.get(..=endpoint.rfind('/')?)?),
    };
    (path.len() <= PATH_BYTES_MAX).then_some(path)
}

/// The authority of `http://…` or `//…`, and what follows it.
fn whole(text: &str) -> Option<(&str, &str)> {
    let is_http = text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"));
    let rest = if is_http { text.get(7..)? } else { text.strip_prefix("//")? };
    Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

/// The message that a peer's proxy passed on for its own `replica`; `endpoint` is the path that was called there.
pub fn of_peer<'a>(uri: &'a [u8], endpoint: &str, replica: &str) -> Option<Message<'a>> {
    let query = std::str::from_utf8(uri).ok()?.strip_prefix(endpoint)?.strip_prefix('?')?;
    Message::of(query).filter(|message| message.replica == replica)
}

impl<'a> Message<'a> {
    /// From the query of a client's POST.
    pub fn of(query: &'a str) -> Option<Self> {
        let (ours, query) = query.split_once('&').unwrap_or((query, ""));
        let (replica, token) = ours.strip_prefix(QUERY)?.rsplit_once('.')?;
        (!replica.is_empty()).then_some(Self { replica, token: Token::of(token)?, query })
    }

    /// What is announced to who called `path`.
    pub fn uri(&self, path: &str) -> String {
        let Self { replica, token, query } = self;
        let and = if query.is_empty() { "" } else { "&" };
        format!("{}?{QUERY}{replica}.{}{and}{query}", path.trim_end_matches('/'), token.text())
    }
}

impl Token {
    fn of(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let good = text.len() == 32 && text.bytes().all(is_hex);
        good.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(|number| Self(number.to_be_bytes()))
    }

    fn text(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Who knows a token may post to the stream it belongs to.
impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests;
