//! How requests look: path, era, headers, size.
//!
//! In: a target and a [`Dress`]. Out: requests.
//! Never here: sending them.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;

use crate::echo::ask::drawn;
use crate::echo::request::{body, listen};
use crate::echo::{
    Ask, Era, Form, LEGACY, METHOD_HEADER, MODERN, Mix, NAME_HEADER, REVISION_HEADER, SESSION_HEADER, STREAM_HEADER,
    TOOL,
};

/// Where calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub address: SocketAddr,
    /// `/mcp`, or what a peer makes of it.
    path: String,
    /// Further paths that lead there; sessions, and calls without one, are spread over all.
    further: Vec<String>,
}

impl Target {
    pub fn new(address: SocketAddr, path: &str) -> Self {
        Self { address, path: path.to_owned(), further: Vec::new() }
    }

    pub fn and(self, further: Vec<String>) -> Self {
        Self { further, ..self }
    }
}

/// What calls are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dress {
    pub era: Era,
    /// Whether calls belong to a session that was opened before; legacy only.
    pub session: bool,
    pub mix: Mix,
}

impl Dress {
    pub const fn plain(era: Era) -> Self {
        Self { era, session: false, mix: Mix::only(Ask::PLAIN) }
    }

    pub fn asking(self, ask: Ask) -> Self {
        Self { mix: Mix::only(ask), ..self }
    }
}

/// A session, and the replica that holds it.
#[derive(Debug, Clone)]
pub struct Opened {
    pub id: HeaderValue,
    pub home: String,
    /// Where it was opened, and where all of it goes.
    pub uri: Uri,
}

/// Requests to one target in one dress.
#[derive(Debug, Clone)]
pub struct Wardrobe {
    pub target: Target,
    pub dress: Dress,
    uri: Uri,
    further: Vec<Uri>,
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
        let uri = |path: &String| path.parse().unwrap_or_default();
        let further = target.further.iter().map(uri).collect();
        Self { target: target.clone(), dress: dress.clone(), uri: uri(&target.path), further, headers }
    }

    /// Where session `number`, or call `number` without a session, goes.
    pub fn uri(&self, number: u64) -> &Uri {
        let count = u32::try_from(self.further.len()).unwrap_or(u32::MAX).saturating_add(1);
        let drawn = drawn(self.dress.mix.seed(), number, count);
        let further = drawn.checked_sub(1).and_then(|at| self.further.get(usize::try_from(at).ok()?));
        further.unwrap_or(&self.uri)
    }

    pub fn call(&self, number: u64, session: Option<&Opened>) -> Request<Full<Bytes>> {
        let ask = self.dress.mix.ask(number);
        let uri = session.map_or_else(|| self.uri(number), |session| &session.uri);
        let mut request = self.post(uri, body(number, ask, self.dress.era), session);
        if self.dress.era == Era::Modern {
            let (method, name) = match ask.form {
                Form::Json | Form::Events { .. } => ("tools/call", Some(TOOL)),
                Form::List { .. } => ("tools/list", None),
            };
            modern(&mut request, method, name);
        }
        request
    }

    pub fn initialize(&self, uri: &Uri) -> Request<Full<Bytes>> {
        let body = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"outrigger-load","version":"1.0.0"}}}"#;
        let mut request = self.post(uri, body.to_owned(), None);
        request.headers_mut().remove(REVISION_HEADER);
        request
    }

    pub fn initialized(&self, session: &Opened) -> Request<Full<Bytes>> {
        let body = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        self.post(&session.uri, body.to_owned(), Some(session))
    }

    pub fn end(&self, session: &Opened) -> Request<Full<Bytes>> {
        self.request(Method::DELETE, &session.uri, String::new(), Some(session))
    }

    /// Opens a GET stream that says nothing.
    pub fn quiet(&self) -> Request<Full<Bytes>> {
        let mut request = self.request(Method::GET, &self.uri, String::new(), None);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        request
    }

    /// Opens stream `number`: a GET stream of a session, or, in the modern era, a listen stream.
    pub fn stream(&self, number: u64, session: Option<&Opened>) -> Request<Full<Bytes>> {
        let uri = session.map_or_else(|| self.uri(number), |session| &session.uri);
        if self.dress.era == Era::Modern {
            let mut request = self.post(uri, listen(number), None);
            modern(&mut request, "subscriptions/listen", None);
            return request;
        }
        let mut request = self.request(Method::GET, uri, String::new(), session);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(HeaderName::from_static(STREAM_HEADER), HeaderValue::from(number));
        request
    }

    fn post(&self, uri: &Uri, body: String, session: Option<&Opened>) -> Request<Full<Bytes>> {
        self.request(Method::POST, uri, body, session)
    }

    fn request(&self, method: Method, uri: &Uri, body: String, session: Option<&Opened>) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(session) = session {
            request.headers_mut().insert(SESSION_HEADER, session.id.clone());
        }
        request
    }
}

/// What modern requests say of themselves in headers.
fn modern(request: &mut Request<Full<Bytes>>, method: &'static str, name: Option<&'static str>) {
    let headers = request.headers_mut();
    headers.insert(HeaderName::from_static(METHOD_HEADER), HeaderValue::from_static(method));
    if let Some(name) = name {
        headers.insert(HeaderName::from_static(NAME_HEADER), HeaderValue::from_static(name));
    }
}

#[cfg(test)]
mod tests;
