//! What kind of client asks, and what it says about itself that shapes what it is told.
//!
//! In: the `node` of a first request. Out: a [`Dialect`], or which field of the node is wrong.
//! Never here: permission; a node says what it likes.

use std::net::{Ipv4Addr, SocketAddr};

use outrigger_model::digest::Digest;
use outrigger_wire::proto::discovery::Node;
use prost_types::Value;
use prost_types::value::Kind as Said;

/// Where Envoy listens if its node does not say it.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 17_100);
const CERTIFICATE_DEFAULT: &str = "outrigger_identity";
const TEXT_BYTES_MAX: usize = 256;

/// Clients of one dialect and one scope are told the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    Envoy(Envoy),
    Grpc,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Envoy {
    /// `node.metadata.listen`.
    pub listen: SocketAddr,
    /// `node.metadata.certificate`: the name of the secret that it proves itself with.
    pub certificate: String,
    /// `node.metadata.certificate_file`: where it finds that secret, as a discovery response in a file. None: in its bootstrap.
    pub certificate_file: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNode {
    #[error("node.metadata.{field}: it is not a text of 1 to {TEXT_BYTES_MAX} bytes")]
    Text { field: &'static str },
    #[error("node.metadata.listen: `{0}` is not an address of the form ip:port")]
    Listen(String),
}

impl Default for Envoy {
    fn default() -> Self {
        Self { listen: LISTEN_DEFAULT, certificate: CERTIFICATE_DEFAULT.to_owned(), certificate_file: None }
    }
}

impl Dialect {
    /// Whether a client of this name speaks gRPC's dialect; all others are taken for Envoy.
    pub fn of(node: &Node) -> Result<Self, BadNode> {
        if node.user_agent_name.contains("gRPC") {
            return Ok(Self::Grpc);
        }
        let usual = Envoy::default();
        let listen = match text(node, "listen")? {
            Some(listen) => listen.parse().map_err(|_| BadNode::Listen(listen))?,
            None => usual.listen,
        };
        let certificate = text(node, "certificate")?.unwrap_or(usual.certificate);
        Ok(Self::Envoy(Envoy { listen, certificate, certificate_file: text(node, "certificate_file")? }))
    }

    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Envoy(_) => "envoy",
            Self::Grpc => "grpc",
        }
    }

    /// Equal for equal dialects, also over a restart.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Grpc => Digest::of(b"grpc"),
            Self::Envoy(Envoy { listen, certificate, certificate_file }) => Digest::of_parts([
                b"envoy".as_slice(),
                listen.to_string().as_bytes(),
                certificate.as_bytes(),
                certificate_file.as_deref().unwrap_or_default().as_bytes(),
            ]),
        }
    }
}

/// Whether a client that calls itself this is one of the stock ones.
pub fn is_stock(user_agent: &str) -> bool {
    user_agent.starts_with("envoy") || user_agent.contains("gRPC")
}

fn text(node: &Node, field: &'static str) -> Result<Option<String>, BadNode> {
    let value = node.metadata.as_ref().and_then(|metadata| metadata.fields.get(field));
    match value {
        None | Some(Value { kind: None | Some(Said::NullValue(_)) }) => Ok(None),
        Some(Value { kind: Some(Said::StringValue(text)) }) if (1..=TEXT_BYTES_MAX).contains(&text.len()) => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(BadNode::Text { field }),
    }
}

#[cfg(test)]
mod tests;
