//! The fields of a head: found once, looked up often.
//!
//! In: the bytes of a head and where its fields stand. Out: values by name.
//! Invariant: looking up copies and allocates nothing.

/// Prefix of the names that only proxies of this mesh use among themselves.
const OURS: &[u8] = b"outrigger";

/// Names that a proxy acts on; all others are the agent's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Name {
    Accept,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentType,
    Expect,
    Host,
    KeepAlive,
    LastEventId,
    McpMethod,
    McpName,
    McpProtocolVersion,
    McpSessionId,
    Origin,
    ProxyConnection,
    Te,
    TransferEncoding,
    Upgrade,
    /// `X-Mesh-Timeout`
    MeshTimeout,
    /// Starts with `outrigger-`. Also with `_` instead of `-`: gateways that make variables of names take both for the same.
    Ours,
    /// `Content_Length` or `Transfer_Encoding`: no field of HTTP, and read as one behind such a gateway.
    Disguised,
    Other,
}

/// A field was given more often than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("field is repeated")]
pub struct Repeated;

/// A part of the head's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    known: Name,
    name: Span,
    value: Span,
}

/// Where the fields of some bytes stand.
#[derive(Debug)]
pub(super) struct Found {
    list: Vec<Field>,
    present: u32,
}

/// All fields of one head, in the order and spelling in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    bytes: Vec<u8>,
    list: Vec<Field>,
    /// One bit for each [`Name`] that occurs.
    present: u32,
}

impl Name {
    /// Names are the same in any case (RFC 9110 section 5.1).
    pub fn of(name: &[u8]) -> Self {
        let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
        match name.len() {
            2 if is("te") => Self::Te,
            4 if is("host") => Self::Host,
            6 if is("accept") => Self::Accept,
            6 if is("expect") => Self::Expect,
            6 if is("origin") => Self::Origin,
            7 if is("upgrade") => Self::Upgrade,
            8 if is("mcp-name") => Self::McpName,
            10 if is("connection") => Self::Connection,
            10 if is("keep-alive") => Self::KeepAlive,
            10 if is("mcp-method") => Self::McpMethod,
            12 if is("content-type") => Self::ContentType,
            13 if is("last-event-id") => Self::LastEventId,
            14 if is("content-length") => Self::ContentLength,
            14 if is("content_length") => Self::Disguised,
            14 if is("x-mesh-timeout") => Self::MeshTimeout,
            14 if is("mcp-session-id") => Self::McpSessionId,
            16 if is("content-encoding") => Self::ContentEncoding,
            16 if is("proxy-connection") => Self::ProxyConnection,
            17 if is("transfer-encoding") => Self::TransferEncoding,
            17 if is("transfer_encoding") => Self::Disguised,
            20 if is("mcp-protocol-version") => Self::McpProtocolVersion,
            _ if is_ours(name) => Self::Ours,
            _ => Self::Other,
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

fn is_ours(name: &[u8]) -> bool {
    let (start, rest) = name.split_at_checked(OURS.len()).unwrap_or_default();
    matches!(rest.first(), Some(b'-' | b'_')) && start.eq_ignore_ascii_case(OURS)
}

impl Span {
    /// Where `part` stands in `whole`, which it must be cut from.
    pub(super) fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(start), end: place(start.saturating_add(part.len())) }
    }

    pub(super) fn in_bytes(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl Found {
    /// `fields` must be cut from `bytes`.
    pub(super) fn of(fields: &[httparse::Header<'_>], bytes: &[u8]) -> Self {
        let mut present = 0;
        let list = fields
            .iter()
            .map(|field| {
                let known = Name::of(field.name.as_bytes());
                present |= known.bit();
                Field { known, name: Span::of(field.name.as_bytes(), bytes), value: Span::of(field.value, bytes) }
            })
            .collect();
        Self { list, present }
    }
}

impl Fields {
    pub(super) fn new(bytes: Vec<u8>, found: Found) -> Self {
        Self { bytes, list: found.list, present: found.present }
    }

    /// Every value of a name, in order.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let list = if self.has(name) { self.list.as_slice() } else { &[] };
        list.iter().filter(move |field| field.known == name).map(|field| field.value.in_bytes(&self.bytes))
    }

    pub fn first(&self, name: Name) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The value of a name that may come once at most.
    pub fn once(&self, name: Name) -> Result<Option<&[u8]>, Repeated> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// The media type of the first `Content-Type`, without its parameters.
    pub fn media(&self) -> Option<&[u8]> {
        let value = self.first(Name::ContentType)?;
        Some(value.split(|byte| *byte == b';').next().unwrap_or(value).trim_ascii())
    }

    pub const fn has(&self, name: Name) -> bool {
        self.present & name.bit() != 0
    }

    /// Every field with its name as it was spelled.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &[u8], &[u8])> {
        let part = |span: Span| span.in_bytes(&self.bytes);
        self.list.iter().map(move |field| (field.known, part(field.name), part(field.value)))
    }

    /// Whether a comma-separated list, perhaps spread over several fields, names `token`.
    pub fn lists(&self, name: Name, token: &str) -> bool {
        self.all(name).any(|value| tokens(value).any(|listed| listed.eq_ignore_ascii_case(token.as_bytes())))
    }

    pub fn count(&self) -> usize {
        self.list.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The parts of a comma-separated value.
pub fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests;
