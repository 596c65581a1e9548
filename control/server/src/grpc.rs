//! The gRPC server: registration, discovery, snapshots, intent, rollouts, health and reflection on one port.
//!
//! In: a bound listener, the services. Out: a task that serves until control stops.

use std::sync::Arc;
use std::time::Duration;

use outrigger_identity::{AcceptLimits, Application, Expected, Incoming, Material, Role, ServerConfigError};
use outrigger_wire::proto::DESCRIPTORS;
use outrigger_wire::proto::intent::intent_server::IntentServer;
use outrigger_wire::proto::registry::registry_server::RegistryServer;
use outrigger_wire::proto::rollout::rollouts_server::RolloutsServer;
use outrigger_wire::proto::snapshot::snapshots_server::SnapshotsServer;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic_health::server::health_reporter;
use tracing::warn;

use crate::discovery::serve::Discovery;
use crate::intent::serve::{IntentService, REQUEST_BYTES_MAX};
use crate::lifecycle::Lifecycle;
use crate::registration::serve::{REPORT_BYTES_MAX, Registration};
use crate::rollout::serve::RolloutService;
use crate::watch::serve::Reading;

// A proxy whose host fell silent is noticed after the sum of both.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Streams of one connection; a proxy needs two.
const STREAMS_PER_CONNECTION_MAX: u32 = 64;

/// The services of control.
#[derive(Debug, Clone)]
pub struct Services {
    pub discovery: Discovery,
    pub registration: Registration,
    pub intent: IntentService,
    pub rollouts: RolloutService,
    pub reading: Reading,
}

/// TLS that lets in proxies and operators of our own domain.
pub fn tls(material: &Material) -> Result<Arc<ServerConfig>, ServerConfigError> {
    let expected = Expected::AnyOf(material.domain().clone(), &[Role::Proxy, Role::Operator]);
    outrigger_identity::server_config(material, expected, Application::Http2).map(Arc::new)
}

/// Serves until control stops.
pub async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, services: Services, lifecycle: Lifecycle) {
    let (health, health_server) = health_reporter();
    health.set_serving::<RegistryServer<Registration>>().await;
    health.set_serving::<Discovery>().await;
    health.set_serving::<IntentServer<IntentService>>().await;
    health.set_serving::<RolloutsServer<RolloutService>>().await;
    health.set_serving::<SnapshotsServer<Reading>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    let Services { discovery, registration, intent, rollouts, reading } = services;
    let registry = RegistryServer::new(registration).max_decoding_message_size(REPORT_BYTES_MAX);
    let intent = IntentServer::new(intent).max_decoding_message_size(REQUEST_BYTES_MAX);
    let rollouts = RolloutsServer::new(rollouts).max_decoding_message_size(REQUEST_BYTES_MAX);
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX);
    let mut router = server
        .add_service(registry)
        .add_service(discovery)
        .add_service(intent)
        .add_service(rollouts)
        .add_service(SnapshotsServer::new(reading))
        .add_service(health_server);
    match reflection {
        Ok(reflection) => router = router.add_service(reflection),
        Err(error) => warn!(%error, "reflection is not served"),
    }
    let incoming = Incoming::start(listener, tls, AcceptLimits::default());
    let stopping = lifecycle.stopping().clone();
    if let Err(error) = router.serve_with_incoming_shutdown(incoming, stopping.cancelled_owned()).await {
        warn!(%error, "the gRPC server ended");
    }
}
