//! The door: one HTTP request in, one answer out.
//!
//! In: what the gateway read. Out: an [`Answer`], or a refusal of the proxy.
//! Invariant: the era is the headers'; a body that contradicts them is answered by the modern face.

use std::sync::Arc;

use http::StatusCode;
use outrigger_model::revision::{Era, Revision};
use outrigger_proxy_core::mcp::facts::{Caller, Verb};
use outrigger_proxy_core::refusal::Refusal;

use super::legacy;
use super::line::{META, META_VERSION};
use super::message::{HEADER_MISMATCH, INVALID_REQUEST, Message};
use super::modern::{self, Said};
use super::object::Object;
use super::outlet::Answer;
use super::state::Catalog;

/// A request as the gateway read it.
pub struct Request {
    pub verb: Verb,
    pub caller: Caller,
    /// `MCP-Protocol-Version`, if it was sent.
    pub revision: Option<String>,
    pub method: Option<String>,
    pub name: Option<String>,
    pub session: Option<Vec<u8>>,
    pub params: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Catalog {
    pub async fn serve(self: &Arc<Self>, request: Request) -> Result<Answer, Refusal> {
        self.mirror.want();
        let Request { verb, caller, revision, method, name, session, params, body } = request;
        let parsed = revision.as_deref().and_then(|text| Revision::from_bytes(text.as_bytes()));
        if let (Some(revision), Some(Era::Modern)) = (&revision, parsed.map(Revision::era)) {
            return Ok(match verb {
                Verb::Post => {
                    modern::post(self, Said { revision: revision.clone(), method, name, params }, &body).await
                }
                Verb::Get | Verb::Delete | Verb::Other => not_allowed("POST"),
            });
        }
        if revision.is_some() && parsed.is_none() {
            return Ok(legacy::bad(None, INVALID_REQUEST, "`MCP-Protocol-Version` is no revision"));
        }
        match verb {
            Verb::Post if session.is_none() && says_modern(&body) => {
                Ok(legacy::bad(None, HEADER_MISMATCH, "`MCP-Protocol-Version` is missing"))
            }
            Verb::Post => legacy::post(self, &caller, session.as_deref(), &body).await,
            Verb::Get => legacy::stream(self, &caller, session.as_deref()),
            Verb::Delete => legacy::delete(self, &caller, session.as_deref()),
            Verb::Other => Ok(not_allowed("GET, POST, DELETE")),
        }
    }
}

fn says_modern(body: &[u8]) -> bool {
    let Some(Message::Request { params: Some(params), .. }) = Message::read(body) else { return false };
    let meta = Object::read(&params).and_then(|params| params.object(META));
    meta.is_some_and(|meta| meta.get(META_VERSION).is_some())
}

fn not_allowed(allowed: &str) -> Answer {
    Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with("allow", allowed.to_owned())
}
