//! Who a party proves to be: certificates, SPIFFE ids, and the TLS configurations that check them.
//!
//! In: PEM files, and the certificates of peers. Out: rustls configurations, a channel to control, an accepting end for it.
//! Never here: which identity may do what (that is the model's and the cores'), HTTP, registration.
//! Invariant: TLS 1.3 only, ring only; a name in a certificate is never looked at, its single SPIFFE id always is.

mod provider;
pub mod peer;
pub mod material;
pub mod verify;
pub mod client;
pub mod server;
pub mod stream;
pub mod channel;
pub mod accept;

pub use accept::{AcceptLimits, Accepted, Incoming, PeerInfo};
pub use channel::{ChannelError, channel};
pub use client::{Application, client_config, server_name_of};
pub use material::{Material, MaterialError};
pub use peer::{PeerError, spiffe_id_of};
pub use server::{ServerConfigError, server_config};
pub use stream::Stream;
pub use verify::{Expected, Role};
