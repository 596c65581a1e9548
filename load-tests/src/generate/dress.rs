//! How requests look: path, era, headers, size.
//!
//! In: a target and a [`Dress`]. Out: requests.
//! Never here: sending them.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;

use crate::echo::{Era, Form, LEGACY, METHOD_HEADER, MODERN, NAME_HEADER, REVISION_HEADER, SESSION_HEADER, TOOL, call};

/// Where calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub address: SocketAddr,
    /// `/mcp`, or what a peer makes of it.
    pub path: String,
}

impl Target {
    pub fn new(address: SocketAddr, path: &str) -> Self {
        Self { address, path: path.to_owned() }
    }
}

/// What a call is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dress {
    pub era: Era,
    /// Whether calls belong to a session that was opened before; legacy only.
    pub session: bool,
    pub form: Form,
    /// Text that makes the body larger.
    pub padding: String,
}

impl Dress {
    pub fn plain(era: Era) -> Self {
        Self { era, session: false, form: Form::Json, padding: "x".repeat(100) }
    }
}

/// Requests to one target in one dress.
#[derive(Debug, Clone)]
pub struct Wardrobe {
    pub target: Target,
    pub dress: Dress,
    uri: Uri,
    headers: HeaderMap,
}

impl Wardrobe {
    /// A path that is no path becomes `/`, and is then answered by a refusal that is counted.
    pub fn new(target: &Target, dress: &Dress) -> Self {
        let mut headers = HeaderMap::new();
        if let Ok(host) = HeaderValue::from_str(&target.address.to_string()) {
            headers.insert(HOST, host);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let revision = match dress.era {
            Era::Legacy => LEGACY,
            Era::Modern => MODERN,
        };
        headers.insert(HeaderName::from_static(REVISION_HEADER), HeaderValue::from_static(revision));
        Self { target: target.clone(), dress: dress.clone(), uri: target.path.parse().unwrap_or_default(), headers }
    }

    pub fn call(&self, number: u64, session: Option<&HeaderValue>) -> Request<Full<Bytes>> {
        let mut request =
            self.post(call(number, self.dress.form, self.dress.era, &self.dress.padding).into_bytes(), session);
        if self.dress.era == Era::Modern {
            let headers = request.headers_mut();
            headers.insert(HeaderName::from_static(METHOD_HEADER), HeaderValue::from_static("tools/call"));
            headers.insert(HeaderName::from_static(NAME_HEADER), HeaderValue::from_static(TOOL));
        }
        request
    }

    pub fn initialize(&self) -> Request<Full<Bytes>> {
        let body = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"outrigger-load","version":"1.0.0"}}}"#;
        let mut request = self.post(body.as_bytes().to_vec(), None);
        request.headers_mut().remove(REVISION_HEADER);
        request
    }

    pub fn initialized(&self, session: &HeaderValue) -> Request<Full<Bytes>> {
        let body = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        self.post(body.as_bytes().to_vec(), Some(session))
    }

    pub fn end(&self, session: &HeaderValue) -> Request<Full<Bytes>> {
        self.request(Method::DELETE, Vec::new(), Some(session))
    }

    pub fn listen(&self) -> Request<Full<Bytes>> {
        let mut request = self.request(Method::GET, Vec::new(), None);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        request
    }

    fn post(&self, body: Vec<u8>, session: Option<&HeaderValue>) -> Request<Full<Bytes>> {
        self.request(Method::POST, body, session)
    }

    fn request(&self, method: Method, body: Vec<u8>, session: Option<&HeaderValue>) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(session) = session {
            request.headers_mut().insert(SESSION_HEADER, session.clone());
        }
        request
    }
}
