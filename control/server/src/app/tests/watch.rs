//! Snapshots as people and scripts read them: events, lines, whole ones, and the same over gRPC.

use outrigger_wire::proto::snapshot::change::Op;
use outrigger_wire::proto::snapshot::snapshots_client::SnapshotsClient;
use outrigger_wire::proto::snapshot::{At, Between, Changes, Filter, Since};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::mesh::{channel, control, get, json as asked, key, register, replica, settings, soon};
use super::*;

const SECRET: &str = "marker-of-a-secret";

/// A stream of events, or of lines.
struct Stream {
    tcp: BufReader<TcpStream>,
    head: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

impl Stream {
    async fn open(control: &Running, path: &str, headers: &str) -> Self {
        let mut tcp = TcpStream::connect(control.http).await.unwrap();
        // Of this version bodies have no frames of their own.
        let request = format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n{headers}\r\n");
        tcp.write_all(request.as_bytes()).await.unwrap();
        let (mut tcp, mut head) = (BufReader::new(tcp), String::new());
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(soon(tcp.read_line(&mut head)).await.unwrap(), 0, "{head}");
        }
        Self { tcp, head }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = soon(self.tcp.read_line(&mut line)).await.unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event; none: the stream ended.
    async fn next(&mut self) -> Option<Event> {
        let mut event = Event { id: String::new(), name: String::new(), data: Value::Null };
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("id", id)) => event.id = id.to_owned(),
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                _ if line.is_empty() && !event.name.is_empty() => return Some(event),
                _ => {}
            }
        }
    }

    /// Reads up to a `synced`, in words, and where it is then: `added Route/a` and so on, and `reset`.
    async fn synced(&mut self) -> (Vec<String>, String) {
        let mut told = Vec::new();
        loop {
            let event = self.next().await.expect("the stream ended");
            match event.name.as_str() {
                "synced" => return (told, event.id),
                "reset" => told.push("reset".to_owned()),
                _ => told.extend(changes(&event.data)),
            }
        }
    }

    /// Reads until all of this was told, whatever else is.
    async fn told(&mut self, wanted: &[&str]) -> String {
        let mut told = Vec::new();
        loop {
            let (more, id) = self.synced().await;
            told.extend(more);
            if wanted.iter().all(|one| told.iter().any(|told| told == one)) {
                return id;
            }
        }
    }
}

fn changes(data: &Value) -> Vec<String> {
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let items = data["changes"].as_array().unwrap().iter();
    items.map(|it| format!("{} {}/{}", text(it, "op"), text(it, "type"), text(it, "name"))).collect()
}

#[tokio::test]
async fn a_reader_of_events_is_told_the_state_then_synced_then_every_change() {
    let control = control("store: memory").await;
    let _proxy = register(&control, "weather-1").await;
    let mut stream = Stream::open(&control, "/v1/watch?types=Route,Endpoints", "").await;
    assert!(stream.head.contains("content-type: text/event-stream"), "{}", stream.head);
    let first = stream.told(&["added Route/weather", "added Endpoints/weather"]).await;
    let _other = register(&control, "news-1").await;
    let event = stream.next().await.unwrap();
    assert_eq!(
        (event.name.as_str(), changes(&event.data)),
        ("changes", vec!["added Endpoints/news".to_owned(), "added Route/news".to_owned()])
    );
    let data = &event.data;
    assert_eq!(event.id, format!("{}.{}", data["epoch"].as_str().unwrap(), data["serial"]));
    assert!(data["digest"].as_str().unwrap().len() == 64 && data["reason"].as_str().unwrap().contains("news-1"));
    assert!(data["changes"][0]["token"].as_str().unwrap().starts_with(&event.id), "{data}");
    assert_eq!(stream.next().await.map(|synced| (synced.name, synced.id)), Some(("synced".to_owned(), event.id)));

    // Who comes again gets what it missed, and who is lost gets everything.
    let mut again = Stream::open(&control, "/v1/watch?types=Route", &format!("last-event-id: {first}\r\n")).await;
    assert_eq!(again.synced().await.0, ["added Route/news"]);
    let mut lost = Stream::open(&control, "/v1/watch?types=Route", "last-event-id: nonsense\r\n").await;
    assert_eq!(lost.synced().await.0, ["reset", "added Route/news", "added Route/weather"]);
    soon(control.stop()).await;
    assert_eq!((stream.next().await, again.next().await, lost.next().await), (None, None, None));
}

#[tokio::test]
async fn a_reader_goes_on_over_a_restart_and_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Control::start(settings(folder.path(), "store: sqlite:control.db"));
    let control = soon(start()).await.unwrap();
    let weather = register(&control, "weather-1").await;
    let mut stream = Stream::open(&control, "/v1/watch?types=Route", "").await;
    let told = stream.told(&["added Route/weather"]).await;
    soon(control.stop()).await;
    drop(weather);

    let control = soon(start()).await.unwrap();
    let resume = format!("last-event-id: {told}\r\n");
    let mut stream = Stream::open(&control, "/v1/watch?types=Route", &resume).await;
    assert_eq!(stream.synced().await, (Vec::new(), told.clone()), "nothing changed");
    let _news = register(&control, "news-1").await;
    stream.told(&["added Route/news"]).await;
    soon(control.stop()).await;

    // What changed while this reader was away is told from what the store remembers.
    let control = soon(start()).await.unwrap();
    let mut stream = Stream::open(&control, "/v1/watch?types=Route", &resume).await;
    let (changes, _) = stream.synced().await;
    assert!(changes.contains(&"added Route/news".to_owned()), "{changes:?}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn lines_say_the_same_as_events() {
    let control = control("store: memory").await;
    let _proxy = register(&control, "weather-1").await;
    let accept = "accept: application/x-ndjson\r\n";
    let mut stream = Stream::open(&control, "/v1/watch?types=Route&bodies=true", accept).await;
    assert!(stream.head.contains("content-type: application/x-ndjson"), "{}", stream.head);
    loop {
        let line: Value = serde_json::from_str(&stream.line().await.unwrap()).unwrap();
        if line["event"] == "changes" {
            let change = &line["changes"][0];
            assert_eq!((&change["name"], &change["body"]["pool"]), (&json!("weather"), &json!("weather")), "{line}");
            assert_eq!(line["id"], format!("{}.{}", line["epoch"].as_str().unwrap(), line["serial"]));
            break;
        }
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_whole_snapshot_is_read_waited_for_and_read_again_for_as_long_as_it_is_kept() {
    let control = control("store: memory").await;
    let first = asked(&control, "/v1/snapshot").await;
    let serial = first["serial"].as_u64().unwrap();
    let waiting = format!("/v1/snapshot?after={serial}&wait=60s&types=Route");
    let (later, _proxy) = tokio::join!(asked(&control, &waiting), register(&control, "weather-1"));
    assert!(later["serial"].as_u64().unwrap() > serial);
    assert_eq!((&later["resources"][0]["name"], &later["view"]), (&json!("weather"), &json!("observer-base")));
    assert_eq!(asked(&control, &format!("/v1/snapshot?at={serial}")).await, first);

    let tag = later["digest"].as_str().unwrap();
    let mut known = Stream::open(&control, "/v1/snapshot", &format!("if-none-match: \"{tag}\"\r\n")).await;
    assert!(known.head.starts_with("HTTP/1.0 304") && known.head.contains(tag), "{}", known.head);
    let mut body = String::new();
    known.tcp.read_to_string(&mut body).await.unwrap();
    assert_eq!(body, "");

    let needs = asked(&control, "/v1/snapshot?needs=forecast%3Dweather&types=Route").await;
    assert_eq!(needs["resources"].as_array().unwrap().len(), 2, "{needs}");
    let rows =
        [("at=999999", 404), ("at=0", 410), ("at=x", 400), ("at=1&wait=1s", 400), ("wait=1h", 400), ("types=Cat", 400)];
    for (query, expected) in rows {
        let (status, kind, body) = get(&control, &format!("/v1/snapshot?{query}"), "127.0.0.1").await;
        assert_eq!((status, kind.as_str()), (expected, "application/problem+json"), "{query}: {body}");
        assert!(expected == 400 || body.contains(&serial.to_string()), "it says which are kept: {body}");
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn no_reader_sees_a_key_or_what_a_header_hides() {
    let yaml = format!(
        "store: memory\nsettings: {{session_mode: sealed}}\nroutes: [{{name: forecast, capability: weather, \
         headers: {{set: {{x-token: {SECRET}}}}}}}]"
    );
    let control = control(&yaml).await;
    let _proxy = register(&control, "weather-1").await;
    let mut stream = Stream::open(&control, "/v1/watch?bodies=true", "").await;
    let (mut shown, mut is_there) = (String::new(), false);
    while !is_there {
        let event = stream.next().await.unwrap();
        is_there = event.name == "changes" && changes(&event.data).contains(&"added Route/forecast".to_owned());
        shown.push_str(&event.data.to_string());
    }
    shown.push_str(&asked(&control, "/v1/snapshot").await.to_string());
    let mut client = SnapshotsClient::new(channel(&control, None));
    let read = soon(client.read(At::default())).await.unwrap().into_inner();
    shown.push_str(&format!("{read:?}"));
    let bytes: Vec<u8> = read.resources.iter().flat_map(|resource| resource.body.clone().unwrap().value).collect();
    assert!(shown.contains("x-token") && shown.contains("(hidden)"), "{shown}");
    assert!(!shown.contains(SECRET) && !bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
    let keyring = read
        .resources
        .iter()
        .find(|resource| resource.name == "self" && resource.body.as_ref().unwrap().type_url.ends_with(".Keyring"));
    assert!(keyring.unwrap().body.as_ref().unwrap().value.is_empty());
    soon(control.stop()).await;
}

#[tokio::test]
async fn readers_are_bounded_and_the_rest_of_the_api_goes_on() {
    use crate::watch::feeds::READERS_MAX;
    let control = control("store: memory").await;
    let mut streams = Vec::new();
    for _ in 0..READERS_MAX {
        streams.push(Stream::open(&control, "/v1/watch", "").await);
    }
    let (status, kind, body) = get(&control, "/v1/watch", "127.0.0.1").await;
    assert_eq!((status, kind.as_str()), (503, "application/problem+json"), "{body}");
    assert_eq!(get(&control, "/v1/agents", "127.0.0.1").await.0, 200);
    let metrics = get(&control, "/metrics", "127.0.0.1").await.2;
    assert!(metrics.contains(&format!("outrigger_watch_readers {READERS_MAX}")), "{metrics}");
    drop(streams);
    mesh::until("places are given back", async || Stream::try_ok(&control).await).await;
    soon(control.stop()).await;
}

impl Stream {
    async fn try_ok(control: &Running) -> bool {
        Self::open(control, "/v1/watch", "").await.head.starts_with("HTTP/1.0 200")
    }
}

fn told(changes: &Changes) -> Vec<String> {
    let one = |change: &outrigger_wire::proto::snapshot::Change| {
        format!("{:?} {}/{}", Op::try_from(change.op).unwrap(), change.r#type, change.name)
    };
    changes.changes.iter().map(one).collect()
}

#[tokio::test]
async fn over_grpc_snapshots_are_followed_compared_and_resumed() {
    let control = control("store: memory").await;
    let mut client = SnapshotsClient::new(channel(&control, None));
    let types = vec!["Route".to_owned()];
    let since = Since { types: types.clone(), ..Since::default() };
    let mut stream = soon(client.watch(since.clone())).await.unwrap().into_inner();
    let first = soon(stream.message()).await.unwrap().unwrap();
    assert!(first.synced && !first.reset && first.changes.is_empty(), "{first:?}");
    let _proxy = register(&control, "weather-1").await;
    let second = soon(stream.message()).await.unwrap().unwrap();
    assert_eq!(told(&second), ["Added Route/weather"]);

    let resume = Since { epoch: first.epoch, serial: first.serial, bodies: true, ..since.clone() };
    let mut resumed = soon(client.watch(resume)).await.unwrap().into_inner();
    let again = soon(resumed.message()).await.unwrap().unwrap();
    assert_eq!((told(&again), again.reset), (told(&second), false));
    assert!(!again.changes[0].body.as_ref().unwrap().value.is_empty());
    let elsewhere = Since { epoch: first.epoch ^ 1, serial: first.serial, ..since };
    let mut lost = soon(client.watch(elsewhere)).await.unwrap().into_inner();
    assert!(soon(lost.message()).await.unwrap().unwrap().reset);

    let between = Between { from: first.serial, types: types.clone(), ..Between::default() };
    let difference = soon(client.diff(between.clone())).await.unwrap().into_inner();
    assert_eq!((told(&difference), difference.serial), (told(&second), second.serial));
    let unknown = soon(client.diff(Between { from: 999, ..between.clone() })).await.unwrap_err();
    assert!(unknown.code() == Code::NotFound && unknown.message().contains(&second.serial.to_string()), "{unknown}");
    let other = soon(client.diff(Between { epoch: first.epoch ^ 1, ..between })).await.unwrap_err();
    assert_eq!(other.code(), Code::NotFound);
    let whole = soon(client.read(At { types, ..At::default() })).await.unwrap().into_inner();
    assert_eq!((whole.resources.len(), whole.digest.clone()), (1, second.digest.clone()));
    let bad = At { types: vec!["Cat".to_owned()], ..At::default() };
    assert_eq!(soon(client.read(bad)).await.unwrap_err().code(), Code::InvalidArgument);
    soon(control.stop()).await;
    assert!(matches!(soon(stream.message()).await, Ok(None)), "it ends cleanly");
}

#[tokio::test]
async fn over_grpc_watchers_say_what_they_run_and_what_they_refuse() {
    let control = control("store: memory").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    let first = watcher.burst().await;
    watcher.answer(MANIFEST_TYPE_URL, &first.nonce, None).await;
    let mut client = SnapshotsClient::new(channel(&control, None));
    let mut list = async |filter: Filter| {
        let mut stream = soon(client.watchers(filter)).await.unwrap().into_inner();
        let mut rows = Vec::new();
        while let Some(row) = soon(stream.message()).await.unwrap() {
            rows.push(row);
        }
        rows
    };
    json_until(&control, "/v1/proxies", |proxies| proxies["items"][0]["status"] == "SYNCED").await;
    let row = list(Filter::default()).await.remove(0);
    assert_eq!((row.node.as_str(), row.build.as_str(), row.connected), ("caller-1", "test", true));
    assert_eq!((row.serial, row.lag, row.refusal), (Some(row.target), None, None));
    assert_eq!(row.digest.len(), 32);
    assert!(list(Filter { behind: true, ..Filter::default() }).await.is_empty());

    let mut proxy = register(&control, "weather-1").await;
    let burst = watcher.burst().await;
    watcher.answer(MANIFEST_TYPE_URL, &burst.nonce, Some("Route/weather.pool: there is no pool")).await;
    json_until(&control, "/v1/proxies", |proxies| proxies["items"][0]["status"] == "REFUSED").await;
    let behind = list(Filter { behind: true, nodes: vec!["caller-1".to_owned()] }).await.remove(0);
    assert!(behind.target > behind.serial.unwrap() && behind.lag.is_some(), "{behind:?}");
    assert!(behind.refusal.unwrap().detail.contains("there is no pool"));
    assert!(list(Filter { nodes: vec!["somebody".to_owned()], ..Filter::default() }).await.is_empty());
    assert_eq!(proxy.report(vec![replica("weather-1")]).await, []);
    assert!(watcher.tokens.contains_key(&key(ResourceKind::Settings, SELF)));
    soon(control.stop()).await;
}

#[tokio::test]
async fn reflection_tells_of_the_service() {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let control = control("store: memory").await;
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let ask = tokio_stream::once(ServerReflectionRequest { message_request, ..Default::default() });
    let mut client = ServerReflectionClient::new(channel(&control, None));
    let mut answers = soon(client.server_reflection_info(ask)).await.unwrap().into_inner();
    let answer = soon(answers.message()).await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"outrigger.snapshot.v1.Snapshots".to_owned()), "{names:?}");
    soon(control.stop()).await;
}
