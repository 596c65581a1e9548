//! Calls: from a connection that an agent or a peer opened to the endpoint that serves it, and back.
//!
//! In: the parts that the process shares, and bound sockets. Out: two running listeners.
//! Never here: decisions. Where a call goes, whether it is tried again and how a refusal looks is the core's.
//! Invariant: bytes of a call are forwarded as they came and as soon as they came; none is kept but for one retry.

pub mod pace;
pub mod alarm;
pub mod closing;
pub mod wire;
pub mod upload;
pub mod downstream;
pub mod pool;
pub mod upstream;
pub mod elsewhere;
pub mod announced;
pub mod parts;
pub mod call;
pub mod respond;
pub mod room;
pub mod exchange;
pub mod whole;
pub mod blame;
pub mod attempts;
pub mod tenure;
pub mod turns;
pub mod opening_streams;
pub mod aside;
pub mod moving;
pub mod sealing;
pub mod retooling;
pub mod admission;
pub mod outbound;
pub mod faulting;
pub mod mirroring;
pub mod inbound;
pub mod asking;
pub mod telling;
pub mod learning;
pub mod announcing;
pub mod renaming;
pub mod deliver;
pub mod hedge;
pub mod everything;
pub mod registry;
pub mod serve;
pub mod account;
pub mod tunnel;
pub mod http2;
pub mod connection;
pub mod inside;
pub mod listen;

pub use elsewhere::Elsewhere;
pub use listen::{Listening, bind};
pub use pace::Pace;
pub use parts::{GatewayParts, Limits};

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use outrigger_identity::{Material, ServerConfigError};

use crate::identity::connector::Connector;
use crate::identity::listener::Greeting;
use crate::telemetry::Direction;
use mirroring::Mirrors;
use opening_streams::OpeningStreams;
use serve::Side;
use turns::Turns;
use upstream::Upstreams;

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
    let greeting = material.map_or_else(|| Ok(Greeting::plain()), Greeting::mutual_tls)?;
    let upstreams = Arc::new(Upstreams::new(Connector::new(material)?));
    let connections_max = parts.limits.connections_max;
    let turns = Arc::<Turns>::default();
    let streams = Arc::<OpeningStreams>::default();
    let mirrors = Arc::<Mirrors>::default();
    let side = |direction| Side {
        parts: Arc::clone(&parts),
        direction,
        upstreams: Arc::clone(&upstreams),
        turns: Arc::clone(&turns),
        streams: Arc::clone(&streams),
        mirrors: Arc::clone(&mirrors),
    };
    let far_ends = parts.catalog.far_ends();
    let inside = far_ends.map(|far_ends| inside::Inside::serve(side(Direction::Outbound), far_ends));
    let outbound = listen::listen(outbound, Greeting::plain(), side(Direction::Outbound), connections_max)?;
    Ok(Gateway {
        outbound: outbound.with(inside),
        inbound: listen::listen(inbound, greeting, side(Direction::Inbound), connections_max)?,
    })
}
