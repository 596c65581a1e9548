use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use outrigger_wire::proto::snapshot::snapshots_server::{Snapshots, SnapshotsServer};
use outrigger_wire::proto::snapshot::{At, Between, Filter, Snapshot, Watcher};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response};

use super::*;

type Answers<T> = Pin<Box<dyn tokio_stream::Stream<Item = Result<T, Status>> + Send>>;
type Open = (Since, mpsc::Sender<Result<Changes, Status>>);

/// Control whose streams the test writes by hand.
struct Script(mpsc::Sender<Open>);

#[tonic::async_trait]
impl Snapshots for Script {
    type WatchStream = Answers<Changes>;
    type WatchersStream = Answers<Watcher>;

    async fn watch(&self, request: Request<Since>) -> Result<Response<Self::WatchStream>, Status> {
        let (changes, outbox) = mpsc::channel(16);
        let gone = |_| Status::unavailable("the test is over");
        self.0.send((request.into_inner(), changes)).await.map_err(gone)?;
        Ok(Response::new(Box::pin(ReceiverStream::new(outbox))))
    }

    async fn read(&self, _: Request<At>) -> Result<Response<Snapshot>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn diff(&self, _: Request<Between>) -> Result<Response<Changes>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn watchers(&self, _: Request<Filter>) -> Result<Response<Self::WatchersStream>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }
}

async fn scripted() -> (SocketAddr, mpsc::Receiver<Open>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (open, opened) = mpsc::channel(4);
    let service = SnapshotsServer::new(Script(open));
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    (address, opened)
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("within 30 s")
}

fn piece(serial: u64, names: &[&str], reset: bool, synced: bool) -> Result<Changes, Status> {
    let change = |name: &&str| wire::Change {
        r#type: "Route".to_owned(),
        name: (*name).to_owned(),
        op: WireOp::Added.into(),
        token: format!("00000001.{serial}-000000000000"),
        body: None,
    };
    let changes = names.iter().map(change).collect();
    Ok(Changes { epoch: 1, serial, reset, synced, changes, ..Changes::default() })
}

fn text(observed: &Observed) -> String {
    match observed {
        Observed::Changed { change, .. } => format!("{} {}", change.op.as_str(), change.name),
        Observed::Reset { .. } => "reset".to_owned(),
        Observed::Synced { serial, .. } => format!("synced {serial}"),
    }
}

#[tokio::test]
async fn a_stream_that_breaks_in_the_middle_of_a_snapshot_is_resumed_before_it_and_nothing_comes_twice() {
    let (address, mut opened) = scripted().await;
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let since = Some("00000001.7".parse().unwrap());
    let mut follower =
        Follower::new(move || endpoint.connect_lazy(), FollowConfig { since, ..FollowConfig::default() });
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|last| last != "synced 9") {
            seen.push(text(&soon(follower.next()).await));
        }
        (seen, follower.place())
    });
    let (asked, stream) = soon(opened.recv()).await.unwrap();
    assert_eq!((asked.epoch, asked.serial), (1, 7));
    stream.send(piece(8, &["a"], false, true)).await.unwrap();
    stream.send(piece(9, &["b"], false, false)).await.unwrap();
    stream.send(Err(Status::unavailable("control stops"))).await.unwrap();
    let (asked, stream) = soon(opened.recv()).await.unwrap();
    assert_eq!((asked.epoch, asked.serial), (1, 8), "half a snapshot is no place to go on from");
    stream.send(piece(9, &["b"], false, false)).await.unwrap();
    stream.send(piece(9, &["c"], false, true)).await.unwrap();
    let (seen, place) = seen.await.unwrap();
    assert_eq!(seen, ["added a", "synced 8", "added b", "added c", "synced 9"]);
    assert_eq!(place.map(|place| place.to_string()).as_deref(), Some("00000001.9"));
}

#[tokio::test]
async fn starting_over_comes_before_what_there_is() {
    let (address, mut opened) = scripted().await;
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut follower = Follower::new(move || endpoint.connect_lazy(), FollowConfig::default());
    let trouble = follower.trouble();
    let serve = async {
        let (asked, stream) = soon(opened.recv()).await.unwrap();
        assert_eq!(asked, Since::default());
        stream.send(piece(1, &["a"], true, true)).await.unwrap();
        stream
    };
    let (first, _stream) = tokio::join!(follower.next(), serve);
    assert_eq!([text(&first), text(&soon(follower.next()).await)], ["reset", "added a"]);
    assert_eq!(*trouble.borrow(), None);
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_stream_and_is_said() {
    let (address, mut opened) = scripted().await;
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut follower = Follower::new(move || endpoint.connect_lazy(), FollowConfig::default());
    let mut trouble = follower.trouble();
    let following = tokio::spawn(async move { follower.next().await });
    let (_, stream) = soon(opened.recv()).await.unwrap();
    let mut bad = piece(1, &["a"], false, true).unwrap();
    bad.changes[0].r#type = "Cat".to_owned();
    stream.send(Ok(bad)).await.unwrap();
    let said = soon(trouble.wait_for(Option::is_some)).await.unwrap().clone();
    assert!(said.unwrap().contains("a change of control cannot be read: type"));
    following.abort();
}
