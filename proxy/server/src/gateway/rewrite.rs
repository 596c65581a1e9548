//! What the heads of requests and answers get on their way: hosts, paths, and headers that are ours.
//!
//! Invariant: a header that starts with `outrigger-` crosses no proxy: strangers cannot set one, agents never see one.
//! Hop-by-hop headers are pingora's business.

use http::header::{EXPECT, HOST, HeaderName};
use http::uri::PathAndQuery;
use http::{HeaderMap, Uri};
use outrigger_proxy_core::world::endpoint::{Endpoint, Place};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::{Error, ErrorType, OrErr, Result};

const OURS: &str = "outrigger-";
const FORWARDED_HOST: &str = "x-forwarded-host";
const KEEP_ALIVE: &str = "keep-alive";

/// Makes a request fit the endpoint that it goes to.
pub fn request(head: &mut RequestHeader, endpoint: &Endpoint) -> Result<()> {
    for name in ours(&head.headers) {
        head.remove_header(&name);
    }
    // We have answered it ourselves.
    head.remove_header(&EXPECT);
    let query = head.uri.query().map(str::to_owned);
    match &endpoint.place {
        Place::Peer { .. } => set_path(head, &format!("/agents/{}/mcp", endpoint.replica), query.as_deref()),
        Place::Own { upstream } => {
            if let Some(host) = head.headers.get(HOST).cloned() {
                head.insert_header(FORWARDED_HOST, host)?;
            }
            let authority = upstream.authority().map_or("", |authority| authority.as_str());
            head.insert_header(HOST, authority)?;
            set_path(head, upstream.path(), upstream.query().or(query.as_deref()))
        }
    }
}

/// Makes an answer fit for the caller.
pub fn answer(head: &mut ResponseHeader) {
    for name in ours(&head.headers) {
        head.remove_header(&name);
    }
    head.remove_header(KEEP_ALIVE);
}

fn ours(headers: &HeaderMap) -> Vec<HeaderName> {
    // Allocates only when there is one, which no honest request has.
    headers.keys().filter(|name| name.as_str().starts_with(OURS)).cloned().collect()
}

fn set_path(head: &mut RequestHeader, path: &str, query: Option<&str>) -> Result<()> {
    let text = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let target: PathAndQuery = text.parse().or_err(ErrorType::InternalError, "the path of an endpoint")?;
    let uri = Uri::builder().path_and_query(target).build();
    head.set_uri(uri.map_err(|error| Error::because(ErrorType::InternalError, "the path of an endpoint", error))?);
    Ok(())
}

#[cfg(test)]
mod tests;
