//! Handshakes between parties, over loopback: who gets through and who does not.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use outrigger_identity::{
    AcceptLimits, Application, Expected, Incoming, Material, PeerInfo, client_config, server_config, server_name_of,
};
use outrigger_model::identity::{SpiffeId, TrustDomain};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_stream::StreamExt;
use tonic::transport::server::Connected;

const WEATHER: &str = "spiffe://mesh.local/agent/weather";
const PLANNER: &str = "spiffe://mesh.local/agent/planner";

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("key");
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&key).expect("root").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    fn issue(&self, id: &str) -> Material {
        self.issue_with(id, |_| ())
    }

    fn expired(&self, id: &str) -> Material {
        self.issue_with(id, |parameters| {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2020, 1, 2);
        })
    }

    fn issue_with(&self, id: &str, change: impl FnOnce(&mut CertificateParams)) -> Material {
        let key = KeyPair::generate().expect("key");
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = vec![SanType::URI(id.try_into().expect("ascii"))];
        change(&mut parameters);
        let certificate = parameters.signed_by(&key, &self.issuer).expect("certificate");
        Material::from_pem(&certificate.pem(), &key.serialize_pem(), &self.pem).expect("material")
    }
}

fn id(text: &str) -> SpiffeId {
    text.parse().expect("an id")
}

fn proxies() -> Expected {
    Expected::proxies(TrustDomain::new("mesh.local").expect("domain"))
}

/// Connects a client to a server and passes one byte each way; says whether both were content.
async fn passes(server: &Material, admitted: Expected, client: &Material, expected: Expected) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let config = server_config(server, admitted, Application::Http1).expect("server configuration");
    let served = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await?;
        let mut tls = TlsAcceptor::from(Arc::new(config)).accept(tcp).await?;
        let byte = tls.read_u8().await?;
        tls.write_u8(byte).await?;
        tls.shutdown().await
    });
    let config = client_config(client, expected, Application::Http1).expect("client configuration");
    let asked = async {
        let tcp = TcpStream::connect(address).await?;
        let mut tls = TlsConnector::from(Arc::new(config)).connect(server_name_of(server.id()), tcp).await?;
        tls.write_u8(7).await?;
        tls.read_u8().await
    };
    let asked = tokio::time::timeout(Duration::from_secs(5), asked).await.expect("no hang");
    drop(served.await);
    asked.is_ok()
}

#[tokio::test]
async fn parties_of_one_authority_with_expected_ids_get_through() {
    let authority = Authority::new();
    let (server, client) = (authority.issue(WEATHER), authority.issue(PLANNER));
    assert!(passes(&server, proxies(), &client, Expected::Exactly(id(WEATHER))).await);
    assert!(passes(&server, proxies(), &client, proxies()).await);
}

#[tokio::test]
async fn a_server_with_another_identity_is_refused() {
    let authority = Authority::new();
    let (server, client) = (authority.issue(WEATHER), authority.issue(PLANNER));
    assert!(!passes(&server, proxies(), &client, Expected::Exactly(id(PLANNER))).await);
}

#[tokio::test]
async fn a_client_without_the_right_role_is_refused() {
    let authority = Authority::new();
    let (server, client) = (authority.issue(WEATHER), authority.issue("spiffe://mesh.local/operator/ada"));
    assert!(!passes(&server, proxies(), &client, Expected::Exactly(id(WEATHER))).await);
}

#[tokio::test]
async fn parties_of_two_authorities_refuse_each_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (server, client) = (ours.issue(WEATHER), theirs.issue(PLANNER));
    assert!(!passes(&server, proxies(), &client, Expected::Exactly(id(WEATHER))).await);
}

#[tokio::test]
async fn an_expired_certificate_is_refused_on_either_side() {
    let authority = Authority::new();
    let (good, old) = (authority.issue(WEATHER), authority.expired(WEATHER));
    assert!(!passes(&old, proxies(), &good, Expected::Exactly(id(WEATHER))).await);
    assert!(!passes(&good, proxies(), &old, Expected::Exactly(id(WEATHER))).await);
}

async fn incoming(server: Option<&Material>, limits: AcceptLimits) -> (Incoming, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let tls = server.map(|material| {
        Arc::new(server_config(material, proxies(), Application::Http2).expect("server configuration"))
    });
    (Incoming::start(listener, tls, limits), address)
}

async fn next_peer(incoming: &mut Incoming) -> PeerInfo {
    let accepted = tokio::time::timeout(Duration::from_secs(5), incoming.next()).await.expect("no hang");
    accepted.expect("open").expect("a connection").connect_info()
}

#[tokio::test]
async fn control_learns_who_connected() {
    let authority = Authority::new();
    let control = authority.issue("spiffe://mesh.local/control");
    let (mut incoming, address) = incoming(Some(&control), AcceptLimits::default()).await;
    let config = client_config(&authority.issue(PLANNER), Expected::Exactly(control.id().clone()), Application::Http2)
        .expect("client configuration");
    let tcp = TcpStream::connect(address).await.expect("connect");
    let tls = TlsConnector::from(Arc::new(config)).connect(server_name_of(control.id()), tcp).await.expect("tls");
    let peer = next_peer(&mut incoming).await;
    assert_eq!(peer, PeerInfo { remote: tls.get_ref().0.local_addr().expect("local"), id: Some(id(PLANNER)) });
}

#[tokio::test]
async fn a_plain_listener_knows_only_the_address() {
    let (mut incoming, address) = incoming(None, AcceptLimits::default()).await;
    let tcp = TcpStream::connect(address).await.expect("connect");
    let peer = next_peer(&mut incoming).await;
    assert_eq!(peer, PeerInfo { remote: tcp.local_addr().expect("local"), id: None });
}

#[tokio::test]
async fn a_client_without_a_certificate_does_not_reach_control() {
    let authority = Authority::new();
    let control = authority.issue("spiffe://mesh.local/control");
    let (mut incoming, address) = incoming(Some(&control), AcceptLimits::default()).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::pem::PemObject::from_pem_slice(authority.pem.as_bytes()).expect("root")).expect("root");
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("tls 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(address).await.expect("connect");
    let name = server_name_of(control.id());
    // Whether the client notices in its handshake or in its first read, control never sees a connection.
    drop(TlsConnector::from(Arc::new(config)).connect(name, tcp).await);
    let plain = TcpStream::connect(address).await.expect("connect");
    drop(plain);
    assert!(tokio::time::timeout(Duration::from_millis(200), incoming.next()).await.is_err());
}

#[tokio::test]
async fn a_peer_that_dawdles_in_its_handshake_frees_its_place() {
    let authority = Authority::new();
    let control = authority.issue("spiffe://mesh.local/control");
    let limits = AcceptLimits { handshake_timeout: Duration::from_millis(50), handshakes_max: 1, ..Default::default() };
    let (mut incoming, address) = incoming(Some(&control), limits).await;
    let _silent = TcpStream::connect(address).await.expect("connect");
    let config = client_config(&authority.issue(PLANNER), Expected::Exactly(control.id().clone()), Application::Http2)
        .expect("client configuration");
    let tcp = TcpStream::connect(address).await.expect("connect");
    let connecting = TlsConnector::from(Arc::new(config));
    let connecting = connecting.connect(server_name_of(control.id()), tcp);
    let (connected, peer) = tokio::join!(connecting, next_peer(&mut incoming));
    assert!(connected.is_ok());
    assert_eq!(peer.id, Some(id(PLANNER)));
}
