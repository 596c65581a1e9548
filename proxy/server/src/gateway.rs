//! Calls: from a connection that an agent or a peer opened to the endpoint that serves it, and back.
//!
//! In: the parts that the process shares, and bound sockets. Out: two running listeners.
//! Never here: decisions. Where a call goes, whether it is tried again and how a refusal looks is the core's.
//! Invariant: bytes of a call are forwarded as they came and as soon as they came; none is kept but for one retry.

pub mod serve;
pub mod parts;
pub mod call;
pub mod body;
pub mod rewrite;
pub mod upstream;
pub mod respond;
pub mod attempts;
pub mod outbound;
pub mod inbound;
pub mod phases;

pub use parts::{GatewayParts, Limits};
pub use serve::{Listening, bind};

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use outrigger_identity::{Material, ServerConfigError};

use crate::identity::connector::Connector;
use crate::identity::listener::Greeting;
use crate::telemetry::Direction;

/// Why the listeners for calls do not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error("the identity cannot serve peers")]
    Inbound(#[from] ServerConfigError),
    #[error("the identity cannot be shown to peers")]
    Outbound(#[from] rustls::Error),
    #[error("a listener cannot be used")]
    Listener(#[from] io::Error),
}

/// Both listeners for calls.
pub struct Gateway {
    pub outbound: Listening,
    pub inbound: Listening,
}

/// Serves the own agent on `outbound` and other proxies on `inbound`. Must be called inside a tokio runtime.
pub fn start(
    parts: Arc<GatewayParts>,
    material: Option<&Material>,
    outbound: TcpListener,
    inbound: TcpListener,
) -> Result<Gateway, GatewayError> {
    let Limits { head_time, connections_max, .. } = parts.limits;
    let greeting = match material {
        Some(material) => Greeting::mutual_tls(material, head_time)?,
        None => Greeting::plain(head_time),
    };
    let phases = |direction| phases::Phases::new(Arc::clone(&parts), direction);
    let connector = || Connector::new(material);
    let from_agent = Greeting::plain(head_time);
    Ok(Gateway {
        outbound: serve::serve(outbound, from_agent, connector()?, phases(Direction::Outbound), connections_max)?,
        inbound: serve::serve(inbound, greeting, connector()?, phases(Direction::Inbound), connections_max)?,
    })
}
