//! A snapshot from control that cannot be used, seen from both ends.

use std::pin::Pin;
use std::time::SystemTime;

use outrigger_model::resource::{Epoch, ResourceKind, Serial, Token};
use outrigger_wire::body::Bodies;
use outrigger_wire::kind::{MANIFEST_TYPE_URL, type_url};
use outrigger_wire::manifest;
use outrigger_wire::proto::discovery::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use outrigger_wire::proto::discovery::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::{SOON, request, settings, started, stopped};
use crate::snapshot::fixtures::mesh;

type Answer = Result<DeltaDiscoveryResponse, Status>;

/// One stream, written and read by the test.
struct Stream {
    requests: Streaming<DeltaDiscoveryRequest>,
    responses: mpsc::Sender<Answer>,
}

struct Script(mpsc::Sender<Stream>);

#[tonic::async_trait]
impl AggregatedDiscoveryService for Script {
    type StreamAggregatedResourcesStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<DiscoveryResponse, Status>> + Send>>;
    type DeltaAggregatedResourcesStream = Pin<Box<dyn tokio_stream::Stream<Item = Answer> + Send>>;

    async fn stream_aggregated_resources(
        &self,
        _: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented("proxies ask for deltas"))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let (responses, outbox) = mpsc::channel(16);
        let stream = Stream { requests: request.into_inner(), responses };
        self.0.send(stream).await.map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(Box::pin(ReceiverStream::new(outbox))))
    }
}

impl Stream {
    /// Sends the mesh whose only replica is at `address`; what the proxy says to it: nothing, or why not.
    async fn publish(&mut self, serial: u64, address: &str) -> Option<String> {
        let (epoch, serial, bodies) = (Epoch(1), Serial(serial), Bodies::of(mesh(address)));
        for kind in ResourceKind::ALL {
            let sealed = bodies.of_kind(kind).map(|body| body.envelope(&Token::new(epoch, serial, &body.digest)));
            self.send(type_url(kind), sealed.collect()).await;
        }
        let manifest = manifest::of(&bodies, epoch, serial, SystemTime::now(), "a test");
        self.send(MANIFEST_TYPE_URL, vec![manifest::envelope(&manifest)]).await;
        let answered = timeout(SOON, async {
            loop {
                let request = self.requests.message().await.expect("a stream").expect("a request");
                // The first request of a type carries no nonce and answers nothing.
                if request.type_url == MANIFEST_TYPE_URL && !request.response_nonce.is_empty() {
                    return request.error_detail.map(|status| status.message);
                }
            }
        });
        answered.await.expect("an answer in time")
    }

    async fn send(&self, type_url: &str, resources: Vec<outrigger_wire::proto::discovery::Resource>) {
        let (type_url, nonce) = (type_url.to_owned(), "n".to_owned());
        let response = DeltaDiscoveryResponse { type_url, nonce, resources, ..DeltaDiscoveryResponse::default() };
        self.responses.send(Ok(response)).await.expect("the stream is open");
    }
}

#[tokio::test]
async fn a_snapshot_that_does_not_compile_is_refused_with_its_field_and_the_good_one_stays() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (opened, mut streams) = mpsc::channel(1);
    let service = AggregatedDiscoveryServiceServer::new(Script(opened));
    let control =
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    let running = started(settings(&format!("control: {{address: \"{address}\"}}"))).await;
    let mut stream = timeout(SOON, streams.recv()).await.expect("in time").expect("a stream");

    assert_eq!(stream.publish(1, "127.0.0.1:9").await, None);
    timeout(SOON, running.readiness().until_ready()).await.expect("ready with its first world");
    let refusal = stream.publish(2, "10.0.0.1:9").await.expect("plaintext beyond loopback is refused");
    assert!(refusal.starts_with("Endpoints/weather.endpoints[0].identity: "), "{refusal}");

    assert_eq!(running.worlds().current().serial(), Some(Serial(1)));
    let dump = request(running.ports.admin, "GET /config_dump HTTP/1.1", "").await;
    assert!(dump.contains("\"serial\":1") && !dump.contains("\"serial\":2"), "{dump}");
    let metrics = request(running.ports.health, "GET /metrics HTTP/1.1", "").await;
    assert!(metrics.contains("outrigger_snapshots_rejected_total 1\n"), "{metrics}");
    assert!(metrics.contains("outrigger_control_connected 1\n"), "{metrics}");
    assert_eq!(stream.publish(3, "127.0.0.1:10").await, None, "the next good one is taken");
    stopped(running).await;
    control.abort();
}
