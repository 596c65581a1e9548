//! Answers in which a client compares a URL of the agent with the one that it called.
//!
//! In: an answer that has begun. Out: the same answer, or one with one value changed and the length that this makes.
//! Never here: which value; it is the core's `dialled`. Calls by the agent's own URL, which need nothing changed.
//! Invariant: a document is held back whole and no more than a bound; one that is larger, or is none, passes as it came.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use http::StatusCode;
use outrigger_proxy_core::asked::{Asked, Document, Part, Server};
use outrigger_proxy_core::dialled::{Name, Renaming, with_length};
use outrigger_proxy_core::forward;
use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::http1::field;
use outrigger_proxy_core::target::{self, Target};
use outrigger_proxy_core::world::endpoint::{Endpoint, Place};

use super::downstream::Downstream;
use super::exchange::Answer;
use super::wire::Wire;

/// Metadata of a protected resource is a few lines.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// For the rest of a document to arrive.
const DOCUMENT_TIME: Duration = Duration::from_secs(10);

/// The paths of a server as its caller knows them.
#[derive(Debug, PartialEq, Eq)]
pub struct Called {
    root: String,
    endpoint: String,
}

impl Called {
    /// From a path of ours; `only` is the route that a path without a name stands for.
    pub fn of(path: &str, only: Option<&str>) -> Self {
        let note = target::function(path).map_or_else(String::new, |function| format!("/d/{function}"));
        let root = match Asked::of(path).and_then(|asked| asked.target) {
            Some(Target::Route(name)) => format!("{note}/{name}"),
            Some(Target::Agent(id)) => format!("{note}/agents/{id}"),
            Some(Target::Everything) | None => only.map_or_else(String::new, |name| format!("/{name}")),
        };
        let ending = if path.trim_end_matches('/').ends_with("/sse") { "sse" } else { "mcp" };
        Self { endpoint: format!("{root}/{ending}"), root }
    }
}

/// Whether an answer is one in which a URL may have to be changed; nearly none is.
pub fn may_rename(down: &Downstream<'_>, answer: &Answer) -> bool {
    let refused = matches!(answer.head.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let document = matches!(down.part, Part::Document(Document::ProtectedResource, _));
    let by_path = down.head.target_authority().is_none() && !forward::wants_as_is(&down.head);
    by_path && (refused || document && answer.head.status == StatusCode::OK)
}

/// Changes what is the agent's own into what its caller called.
pub async fn rename(
    down: &mut Downstream<'_>,
    agent: &mut Wire,
    endpoint: &Endpoint,
    called: Called,
    answer: Answer,
) -> Answer {
    let host = down.head.fields.first(field::Name::Host).and_then(|host| std::str::from_utf8(host).ok());
    let Some(host) = host.map(str::to_owned) else { return answer };
    let own = match &endpoint.place {
        Place::Own { upstream } => upstream.authority().map_or("", |authority| authority.as_str()),
        // The proxy beside the agent has put its own path in already, and the host that our caller wrote.
        Place::Peer { .. } => &host,
    };
    let to = Server { root: &called.root, endpoint: &called.endpoint };
    let renaming = Renaming {
        from: Name { authority: own, server: endpoint.lead.server() },
        to: Name { authority: &host, server: to },
    };
    if let Some(head) = renaming.challenge(&answer.head) {
        return Answer { head, ..answer };
    }
    if answer.head.status != StatusCode::OK || down.head.method() != b"GET" {
        return answer;
    }
    let Some((document, taken)) = whole(down, agent, answer.framing).await else { return answer };
    let changed = renaming.resource(&document);
    let head = changed.as_ref().and_then(|changed| with_length(&answer.head, changed.len()));
    let (Some(document), Some(head)) = (changed, head) else { return answer };
    agent.inbox.splice(..taken, document.iter().copied());
    Answer { head, framing: Framing::Length(document.len() as u64) }
}

/// The payload of a body, and how many bytes of the inbox it takes with its framing; they stay there.
async fn whole(down: &mut Downstream<'_>, agent: &mut Wire, framing: Framing) -> Option<(Vec<u8>, usize)> {
    down.alarm.set(DOCUMENT_TIME);
    let ended = poll_fn(|cx| {
        loop {
            let mut body = Body::new(framing);
            if body.take(&agent.inbox).is_err() || agent.inbox.len() > DOCUMENT_BYTES_MAX {
                return Poll::Ready(false);
            }
            if body.is_done() {
                return Poll::Ready(true);
            }
            match agent.poll_read(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(body.ends_with_connection()),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Pending => return down.alarm.poll(cx).map(|()| false),
            }
        }
    })
    .await;
    down.alarm.stop();
    let mut payload = Vec::new();
    let taken = Body::new(framing).take_with(&agent.inbox, |part| payload.extend_from_slice(part)).ok()?;
    ended.then_some((payload, taken))
}

#[cfg(test)]
mod tests;
