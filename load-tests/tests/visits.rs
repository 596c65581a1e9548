//! A changing world against a control and a proxy of the test's own: what is counted, and what is not believed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use outrigger_load_tests::measure::visit::{Visit, VisitError};
use outrigger_load_tests::peers::mesh::Watched;
use outrigger_load_tests::peers::visitor::Visitor;
use outrigger_load_tests::speaker::SpeakerError;
use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::hint::Hint as Kind;
use outrigger_wire::proto::registry::registry_server::{Registry, RegistryServer};
use outrigger_wire::proto::registry::{Facts, Hint, Refused, Taken, Welcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// Takes every report; two reports each share a serial, as when control publishes them together.
#[derive(Clone)]
struct Control {
    reports: Arc<AtomicU64>,
    refuses: bool,
}

impl Control {
    fn hint(&self) -> Hint {
        let reports = self.reports.fetch_add(1, Ordering::Relaxed);
        let hint = match self.refuses {
            true => Kind::Refused(Refused { detail: "no room".to_owned(), ..Refused::default() }),
            false => Kind::Taken(Taken { serial: 100 + reports / 2 }),
        };
        Hint { hint: Some(hint) }
    }
}

#[tonic::async_trait]
impl Registry for Control {
    type ReportStream = ReceiverStream<Result<Hint, Status>>;

    async fn report(&self, request: Request<Streaming<Facts>>) -> Result<Response<Self::ReportStream>, Status> {
        let (hints, stream) = mpsc::channel(4);
        let (control, mut facts) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            while let Ok(Some(Facts { fact: Some(fact) })) = facts.message().await {
                match fact {
                    Fact::Report(report) => {
                        assert_eq!(report.replicas.len(), 1);
                        if hints.send(Ok(control.hint())).await.is_err() {
                            return;
                        }
                    }
                    Fact::Hello(_) => {
                        let welcome = Hint { hint: Some(Kind::Welcome(Welcome::default())) };
                        if hints.send(Ok(welcome)).await.is_err() {
                            return;
                        }
                    }
                    Fact::Leave(_) => return,
                    _ => {}
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

async fn control(refuses: bool) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let control = Control { reports: Arc::default(), refuses };
    let reports = Arc::clone(&control.reports);
    let server = tonic::transport::Server::builder().add_service(RegistryServer::new(control));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (address, reports)
}

/// A proxy's metrics, with the serial that it holds.
async fn proxy(serial: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = format!("# HELP outrigger_snapshot_serial x\noutrigger_snapshot_serial {serial}\n");
            let mut part = [0; 1024];
            let _ = stream.read(&mut part).await;
            let _ = stream
                .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
                .await;
        }
    });
    address
}

async fn until(reports: &AtomicU64, count: u64) {
    while reports.load(Ordering::Relaxed) < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_snapshot_that_has_two_changes_counts_once() {
    let (address, reports) = control(false).await;
    let watched = Watched { control: address, health: proxy(1_000).await };
    let visit = Visit::begin(watched, 100).await.unwrap();
    until(&reports, 7).await;
    let snapshots = visit.end().await.unwrap();
    assert_eq!(snapshots, reports.load(Ordering::Relaxed).div_ceil(2));
}

#[tokio::test]
async fn a_proxy_that_stays_behind_is_not_believed() {
    let (address, reports) = control(false).await;
    let watched = Watched { control: address, health: proxy(100).await };
    let visit = Visit::begin(watched, 100).await.unwrap();
    until(&reports, 4).await;
    assert!(matches!(visit.end().await, Err(VisitError::Behind { held: 100, last: 101.. })));
}

#[tokio::test]
async fn a_report_that_is_not_taken_is_an_error() {
    let (address, _) = control(true).await;
    let mut visitor = Visitor::arrive(address).await.unwrap();
    let refused = visitor.change().await;
    assert!(matches!(&refused, Err(SpeakerError::Refused { detail, .. }) if detail.contains("no room")), "{refused:?}");
}
