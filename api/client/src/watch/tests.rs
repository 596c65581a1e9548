use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use outrigger_model::resource::{ResourceKind, Serial};
use outrigger_wire::kind::MANIFEST_TYPE_URL;
use outrigger_wire::proto::discovery::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use outrigger_wire::proto::discovery::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

use super::*;
use crate::candidate::Source;
use crate::change::Op;
use crate::config::Timing;
use crate::fixtures::{self, ModelControl};
use crate::last_good;
use crate::observer::{Observed, Observer};

type Responses = mpsc::Sender<Result<DeltaDiscoveryResponse, Status>>;

/// One stream as the test sees it: it reads requests and writes responses by hand.
struct Stream {
    requests: Streaming<DeltaDiscoveryRequest>,
    responses: Responses,
}

struct Script(mpsc::Sender<Stream>);

#[tonic::async_trait]
impl AggregatedDiscoveryService for Script {
    type StreamAggregatedResourcesStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<DiscoveryResponse, Status>> + Send>>;
    type DeltaAggregatedResourcesStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<DeltaDiscoveryResponse, Status>> + Send>>;

    async fn stream_aggregated_resources(
        &self,
        _: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented("watchers ask for deltas"))
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

/// Control on a loopback port, scripted by the test.
struct Scripted {
    address: SocketAddr,
    streams: mpsc::Receiver<Stream>,
    server: JoinHandle<()>,
}

impl Scripted {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (opened, streams) = mpsc::channel(4);
        let service = AggregatedDiscoveryServiceServer::new(Script(opened));
        let serving = Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
        let server = tokio::spawn(async { serving.await.unwrap() });
        Self { address, streams, server }
    }

    fn connect(&self) -> impl Fn() -> Channel + Send + Sync + 'static {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        move || endpoint.connect_lazy()
    }

    /// Takes the next stream and reads its seven first requests.
    async fn accept(&mut self, control: &mut ModelControl) -> Stream {
        let mut stream = soon(self.streams.recv()).await.unwrap();
        let mut first = Vec::new();
        while first.len() <= ResourceKind::ALL.len() {
            first.push(stream.request().await);
        }
        control.open(&first);
        stream
    }
}

impl Stream {
    async fn request(&mut self) -> DeltaDiscoveryRequest {
        soon(self.requests.message()).await.unwrap().unwrap()
    }

    async fn push(&mut self, control: &mut ModelControl) {
        for response in control.burst() {
            self.responses.send(Ok(response)).await.unwrap();
        }
    }

    /// Reads up to the answer to a manifest; gives what it refuses.
    async fn verdict(&mut self) -> Option<String> {
        loop {
            let request = self.request().await;
            if request.type_url == MANIFEST_TYPE_URL {
                return request.error_detail.map(|status| status.message);
            }
        }
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("within 30 s")
}

fn config(last_good: Option<&Path>) -> WatchConfig {
    let timing = Timing {
        silence_max: Duration::from_secs(60),
        retry_first: Duration::from_millis(1),
        retry_longest: Duration::from_millis(20),
        write_every: Duration::ZERO,
    };
    let watcher = fixtures::watcher();
    let last_good = last_good.map(Path::to_owned);
    let Watcher { node, needs, namespace, labels, build, only_needs, .. } = watcher;
    WatchConfig { node, needs, namespace, labels, build, only_needs, last_good, timing }
}

fn mesh() -> ModelControl {
    let mut control = ModelControl::new();
    control.publish(|mesh| fixtures::add(mesh, "weather", 100));
    control
}

/// Brings a new watcher in step over one stream.
async fn synced(scripted: &mut Scripted, control: &mut ModelControl, config: WatchConfig) -> (Watch, Stream) {
    let mut watch = Watch::start(scripted.connect(), config);
    let mut stream = scripted.accept(control).await;
    stream.push(control).await;
    let candidate = soon(watch.next()).await.unwrap();
    assert_eq!((candidate.source, candidate.snapshot.resources()), (Source::Live, &control.resources));
    candidate.answer.accept();
    assert_eq!(stream.verdict().await, None);
    control.acknowledged();
    (watch, stream)
}

#[tokio::test]
async fn a_snapshot_is_applied_and_acknowledged() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let (watch, _stream) = synced(&mut scripted, &mut control, config(None)).await;
    let status = watch.status().borrow().clone();
    assert!(status.connected);
    assert_eq!((status.serial, status.epoch), (Some(control.serial), Some(control.epoch)));
    assert_eq!((status.source, status.stale_since), (Some(Source::Live), None));
    soon(watch.stop()).await;
    scripted.server.abort();
}

#[tokio::test]
async fn a_refused_snapshot_is_nacked_with_the_owners_words_and_the_next_good_one_is_taken() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let (mut watch, mut stream) = synced(&mut scripted, &mut control, config(None)).await;
    control.publish(|mesh| fixtures::add(mesh, "clock", 1));
    stream.push(&mut control).await;
    soon(watch.next()).await.unwrap().answer.refuse("Route/clock.name: reserved");
    assert_eq!(stream.verdict().await.as_deref(), Some("Route/clock.name: reserved"));
    let status = watch.status().borrow().clone();
    assert_eq!((status.serial, status.refusal.as_deref()), (Some(Serial(2)), Some("Route/clock.name: reserved")));
    assert!(status.stale_since.is_some());

    control.publish(|mesh| fixtures::remove(mesh, "clock"));
    stream.push(&mut control).await;
    soon(watch.next()).await.unwrap().answer.accept();
    assert_eq!(stream.verdict().await, None);
    assert_eq!((watch.status().borrow().refusal.clone(), watch.status().borrow().stale_since), (None, None));
    scripted.server.abort();
}

#[tokio::test]
async fn a_snapshot_dropped_without_an_answer_is_refused() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let mut watch = Watch::start(scripted.connect(), config(None));
    let mut stream = scripted.accept(&mut control).await;
    stream.push(&mut control).await;
    drop(soon(watch.next()).await.unwrap());
    assert_eq!(stream.verdict().await.as_deref(), Some("the snapshot was dropped without an answer"));
    scripted.server.abort();
}

#[tokio::test]
async fn a_broken_stream_is_opened_again_and_resumed() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let (mut watch, stream) = synced(&mut scripted, &mut control, config(None)).await;
    let mut status = watch.status();
    drop(stream);
    let lost = soon(status.wait_for(|status| !status.connected)).await.unwrap().clone();
    assert!(lost.stale_since.is_some() && lost.last_error.is_some());

    let mut stream = scripted.accept(&mut control).await;
    assert_eq!(control.burst().len(), 1, "what is held is not asked for again");
    stream.push(&mut control).await;
    assert_eq!(stream.verdict().await, None, "the same snapshot is confirmed without its owner");
    soon(status.wait_for(|status| status.connected && status.stale_since.is_none())).await.unwrap();

    control.publish(|mesh| fixtures::add(mesh, "clock", 1));
    stream.push(&mut control).await;
    let candidate = soon(watch.next()).await.unwrap();
    assert_eq!(candidate.changes.len(), 3);
    candidate.answer.accept();
    assert_eq!(stream.verdict().await, None);
    scripted.server.abort();
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let mut hasty = config(None);
    hasty.timing.silence_max = Duration::from_millis(200);
    let watch = Watch::start(scripted.connect(), hasty);
    let _silent = soon(scripted.streams.recv()).await.unwrap();
    let mut status = watch.status();
    let lost = soon(status.wait_for(|status| status.last_error.is_some())).await.unwrap().clone();
    assert_eq!(lost.last_error.as_deref(), Some("nothing was heard from control for 200 ms"));
    let _second = scripted.accept(&mut control).await;
    scripted.server.abort();
}

/// Control that takes nobody before a time that it names.
struct Busy(std::sync::Mutex<Vec<std::time::Instant>>);

#[tonic::async_trait]
impl AggregatedDiscoveryService for &'static Busy {
    type StreamAggregatedResourcesStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<DiscoveryResponse, Status>> + Send>>;
    type DeltaAggregatedResourcesStream = <Script as AggregatedDiscoveryService>::DeltaAggregatedResourcesStream;

    async fn stream_aggregated_resources(
        &self,
        _: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented("watchers ask for deltas"))
    }

    async fn delta_aggregated_resources(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        self.0.lock().unwrap().push(std::time::Instant::now());
        let mut hint = tonic::metadata::MetadataMap::new();
        hint.insert("grpc-retry-pushback-ms", 400.into());
        Err(Status::with_metadata(tonic::Code::Unavailable, "busy", hint))
    }
}

#[tokio::test]
async fn a_watcher_that_is_told_when_to_come_again_does_not_come_before() {
    let busy: &'static Busy = Box::leak(Box::new(Busy(std::sync::Mutex::default())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let service = AggregatedDiscoveryServiceServer::new(busy);
    let server = Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
    let server = tokio::spawn(server);
    let watch = Watch::start(move || endpoint.connect_lazy(), config(None));
    let asked = || busy.0.lock().unwrap().clone();
    let twice = async {
        while asked().len() < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(twice).await;
    let waits: Vec<Duration> = asked().windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().all(|wait| *wait >= Duration::from_millis(400)), "{waits:?}");
    soon(watch.stop()).await;
    server.abort();
}

#[tokio::test]
async fn control_that_is_away_is_named_as_the_reason() {
    let scripted = Scripted::start().await;
    let connect = scripted.connect();
    scripted.server.abort();
    let _ = scripted.server.await;
    let watch = Watch::start(connect, config(None));
    let mut status = watch.status();
    let lost = soon(status.wait_for(|status| status.last_error.is_some())).await.unwrap().clone();
    let reason = lost.last_error.unwrap();
    assert!(reason.contains("Connection refused"), "{reason}");
    soon(watch.stop()).await;
}

#[tokio::test]
async fn a_watcher_starts_from_its_last_good_file_and_resumes_from_it() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.bin");
    let (watch, stream) = synced(&mut scripted, &mut control, config(Some(&path))).await;
    soon(watch.stop()).await;
    drop(stream);

    let mut watch = Watch::start(scripted.connect(), config(Some(&path)));
    let candidate = soon(watch.next()).await.unwrap();
    assert_eq!((candidate.source, candidate.snapshot.resources()), (Source::File, &control.resources));
    assert!(scripted.streams.try_recv().is_err(), "the file is offered before the network is tried");
    candidate.answer.accept();
    let mut status = watch.status();
    soon(status.wait_for(|status| status.source == Some(Source::File))).await.unwrap();
    let mut stream = scripted.accept(&mut control).await;
    assert_eq!(control.burst().len(), 1, "what the file held is not asked for again");
    stream.push(&mut control).await;
    assert_eq!(stream.verdict().await, None);
    soon(status.wait_for(|status| status.source == Some(Source::Live) && status.stale_since.is_none())).await.unwrap();
    scripted.server.abort();
}

#[tokio::test]
async fn a_broken_or_refused_file_gives_way_to_the_previous_one_and_then_to_none() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.bin");
    let (watch, _stream) = synced(&mut scripted, &mut control, config(Some(&path))).await;
    soon(watch.stop()).await;
    std::fs::copy(&path, last_good::previous(&path)).unwrap();
    std::fs::write(&path, "broken").unwrap();

    let mut watch = Watch::start(scripted.connect(), config(Some(&path)));
    let candidate = soon(watch.next()).await.unwrap();
    assert_eq!((candidate.source, candidate.manifest.serial), (Source::File, control.serial));
    candidate.answer.refuse("Pool/weather: not with this build");
    let mut stream = scripted.accept(&mut control).await;
    assert_eq!(watch.status().borrow().serial, None);
    stream.push(&mut control).await;
    let candidate = soon(watch.next()).await.unwrap();
    assert_eq!((candidate.source, candidate.snapshot.resources()), (Source::Live, &control.resources));
    scripted.server.abort();
}

#[tokio::test]
async fn an_observer_sees_every_change_and_then_a_marker() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let mut observer = Observer::start(scripted.connect(), config(None));
    let mut stream = scripted.accept(&mut control).await;
    stream.push(&mut control).await;
    let mut seen = Vec::new();
    loop {
        match soon(observer.next()).await.unwrap() {
            Observed::Changed { change, resource } => {
                assert_eq!(resource.unwrap().name(), &*change.name);
                assert_eq!(change.op, Op::Added);
                seen.push(format!("{}/{}", change.kind, change.name));
            }
            Observed::Synced { serial, reason, .. } => {
                assert_eq!((serial, reason.as_str()), (control.serial, "a test"));
                break;
            }
            Observed::Reset { .. } => panic!("there was nothing before"),
        }
    }
    let single = ["Settings/self", "Keyring/self", "Revocations/self"];
    let of_weather = ["Pool/weather", "Endpoints/weather", "Route/weather"];
    assert_eq!(seen, [&single[..], &of_weather].concat());

    let next = tokio::spawn(async move { (soon(observer.next()).await, observer) });
    assert_eq!(stream.verdict().await, None, "what was seen is acknowledged");
    control.acknowledged();
    control.publish(|mesh| fixtures::remove(mesh, "weather"));
    stream.push(&mut control).await;
    let (Some(Observed::Changed { change, resource }), observer) = next.await.unwrap() else { panic!("no change") };
    assert_eq!((change.op, resource), (Op::Removed, None));
    soon(observer.stop()).await;
    scripted.server.abort();
}

#[tokio::test]
async fn an_observer_says_that_control_counts_anew_and_lists_what_differs() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let mut observer = Observer::start(scripted.connect(), config(None));
    let mut stream = scripted.accept(&mut control).await;
    stream.push(&mut control).await;
    while !matches!(soon(observer.next()).await, Some(Observed::Synced { .. })) {}
    let next = tokio::spawn(async move { (soon(observer.next()).await, soon(observer.next()).await, observer) });
    stream.verdict().await;
    drop(stream);
    control.lose_store();
    control.publish(|mesh| fixtures::remove(mesh, "weather"));
    let mut stream = scripted.accept(&mut control).await;
    stream.push(&mut control).await;
    let (first, second, observer) = next.await.unwrap();
    assert_eq!(first, Some(Observed::Reset { epoch: control.epoch }));
    assert!(matches!(second, Some(Observed::Changed { change, .. }) if change.op == Op::Removed), "nothing twice");
    soon(observer.stop()).await;
    scripted.server.abort();
}

#[tokio::test]
async fn what_is_needed_may_change_while_it_watches_and_nothing_is_lost() {
    let (mut scripted, mut control) = (Scripted::start().await, mesh());
    let config = config(None);
    let before = config.needs.clone();
    let (mut watch, stream) = synced(&mut scripted, &mut control, config).await;
    let status = watch.status();

    // The same in another order is the same.
    watch.need(before.iter().rev().cloned().collect());
    let more: Vec<Dependency> = before.iter().cloned().chain(["more=more ^1".parse().unwrap()]).collect();
    watch.need(more.clone());
    let mut next = soon(scripted.streams.recv()).await.unwrap();
    let first = next.request().await;
    let said = outrigger_wire::watcher::decode(first.node.as_ref().unwrap()).unwrap().needs;
    assert_eq!(said.len(), more.len());
    let mut rest = vec![first];
    while rest.len() <= ResourceKind::ALL.len() {
        rest.push(next.request().await);
    }
    assert!(rest.iter().any(|request| !request.initial_resource_versions.is_empty()), "what is held is told");
    assert!(status.borrow().connected && status.borrow().last_error.is_none(), "control was not lost");
    drop(stream);

    control.open(&rest);
    control.publish(|mesh| fixtures::add(mesh, "more", 1));
    next.push(&mut control).await;
    let candidate = soon(watch.next()).await.unwrap();
    assert_eq!(candidate.snapshot.resources(), &control.resources);
    candidate.answer.accept();
    assert_eq!(next.verdict().await, None);
    watch.stop().await;
}
