//! What a path asks for: the MCP endpoint of somebody, or one of the few things that belong to it and lie beside it.
//!
//! In: a path as a caller or a proxy wrote it. Out: [`Asked`], or nothing; and the path of the same thing at another place.
//! Beside an endpoint `/x/mcp` there are, and this list is closed: its metadata for OAuth, with its path behind the document's
//! (RFC 8414 section 3, RFC 9728 section 3) or before it; the same at the root of its server; and the three pages that
//! 2025-03-26 expects there, and what an agent of 2024-11-05 announced for messages. The root of a server is `/x` here, and without a name it is that of the only agent there is.
//! Invariant: what is not on the list has no path at an agent, so nobody in the mesh reaches anything else of it.

use crate::announce::{Message, Token};
use crate::target::Target;

const WELL_KNOWN: &str = ".well-known/";

/// Who is asked for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// None: the only one there is.
    pub target: Option<Target<'a>>,
    pub part: Part,
}

/// A part of an agent's server that callers may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    Endpoint,
    Document(Document, Form),
    Page(Page),
    /// What the agent announced for the messages of one stream (2024-11-05).
    Messages(Token),
}

/// A document about how to be authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Document {
    ProtectedResource,
    AuthorizationServer,
    OpenIdConfiguration,
}

/// Where a document lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `/.well-known/document`
    Root,
    /// `/.well-known/document/mcp`
    Inserted,
    /// `/mcp/.well-known/document`
    Appended,
}

/// A page of an authorisation server that lives in the MCP server (2025-03-26, `basic/authorization`, fallbacks).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Page {
    Authorize,
    Token,
    Register,
}

/// One server as paths see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server<'a> {
    /// Where the others begin; empty where it is the root of its host.
    pub root: &'a str,
    /// The path of its MCP endpoint.
    pub endpoint: &'a str,
}

impl<'a> Asked<'a> {
    /// Reads a path of ours, and the query that we ourselves announce.
    pub fn read(path: &'a str, query: Option<&'a str>) -> Option<Self> {
        Some(Self::of(path)?.with_query(query))
    }

    /// The messages of a stream where the query names them; then it also names the replica.
    pub fn with_query(self, query: Option<&'a str>) -> Self {
        match (self, query.and_then(Message::of)) {
            (Self { target: Some(Target::Route(_) | Target::Agent(_)), part: Part::Endpoint }, Some(message)) => {
                Self { target: Some(Target::Agent(message.replica)), part: Part::Messages(message.token) }
            }
            (asked, _) => asked,
        }
    }

    /// Reads a path of ours.
    pub fn of(path: &'a str) -> Option<Self> {
        if let Some(target) = Target::from_path(path) {
            return Some(Self { target: Some(target), part: Part::Endpoint });
        }
        let inner = path.strip_prefix('/')?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if let Some(rest) = inner.strip_prefix(WELL_KNOWN) {
            return match rest.split_once('/') {
                None => Some(Self { target: None, part: Part::Document(Document::of(rest)?, Form::Root) }),
                Some((document, _)) => {
                    let of = Target::from_path(rest.get(document.len()..)?).filter(|of| *of != Target::Everything)?;
                    Some(Self { target: Some(of), part: Part::Document(Document::of(document)?, Form::Inserted) })
                }
            };
        }
        if let Some((front, document)) = inner.split_once("/.well-known/") {
            let document = Document::of(document)?;
            let (of, form) = match front.strip_suffix("/mcp").or_else(|| front.strip_suffix("/sse")) {
                Some(root) if root != "agents" => (root, Form::Appended),
                _ => (front, Form::Root),
            };
            return Some(Self { target: Some(Target::from_front(of)?), part: Part::Document(document, form) });
        }
        if let Some(page) = Page::of(inner) {
            return Some(Self { target: None, part: Part::Page(page) });
        }
        let (front, page) = inner.rsplit_once('/')?;
        Some(Self { target: Some(Target::from_front(front)?), part: Part::Page(Page::of(page)?) })
    }
}

impl Part {
    const DOCUMENTS: [Document; 3] =
        [Document::ProtectedResource, Document::AuthorizationServer, Document::OpenIdConfiguration];
    const FORMS: [Form; 3] = [Form::Root, Form::Inserted, Form::Appended];
    const PAGES: [Page; 3] = [Page::Authorize, Page::Token, Page::Register];

    /// Which part of `server` lies at `path`.
    pub fn at(server: Server<'_>, path: &str) -> Option<Self> {
        let fits = |part: &Self| part.path(server).trim_end_matches('/') == path.trim_end_matches('/');
        Self::all().find(fits)
    }

    /// All of them, the endpoint first.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |document| Self::FORMS.into_iter().map(move |form| Self::Document(document, form));
        let documents = Self::DOCUMENTS.into_iter().flat_map(of);
        std::iter::once(Self::Endpoint).chain(documents).chain(Self::PAGES.into_iter().map(Self::Page))
    }

    /// Where it lies at `server`.
    pub fn path(self, server: Server<'_>) -> String {
        let Server { root, endpoint } = server;
        let trimmed = endpoint.trim_end_matches('/');
        match self {
            Self::Endpoint | Self::Messages(_) => endpoint.to_owned(),
            Self::Document(document, Form::Root) => format!("{root}/{WELL_KNOWN}{}", document.name()),
            Self::Document(document, Form::Inserted) => format!("/{WELL_KNOWN}{}{trimmed}", document.name()),
            Self::Document(document, Form::Appended) => format!("{trimmed}/{WELL_KNOWN}{}", document.name()),
            Self::Page(page) => format!("{root}/{}", page.name()),
        }
    }

    pub const fn is_endpoint(self) -> bool {
        matches!(self, Self::Endpoint)
    }
}

impl Document {
    fn of(name: &str) -> Option<Self> {
        Part::DOCUMENTS.into_iter().find(|document| document.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ProtectedResource => "oauth-protected-resource",
            Self::AuthorizationServer => "oauth-authorization-server",
            Self::OpenIdConfiguration => "openid-configuration",
        }
    }
}

impl Page {
    fn of(name: &str) -> Option<Self> {
        Part::PAGES.into_iter().find(|page| page.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Register => "register",
        }
    }
}

#[cfg(test)]
mod tests;
