//! Streams through two proxies: their bytes, their time, their end when a proxy stops or a caller leaves.

use std::time::Duration;

use ::http::Method;
use anyhow::{Context, Result, ensure};
use outrigger_tests::http::{self, Stream};
use outrigger_tests::mcp::Session;
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::wait;
use outrigger_tests::witness::Witness;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const AGENT: &str = "weather";
/// How soon an agent must know that its caller has left.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Names for the agent, with limits of their own.
const ROUTES: &str = "routes:
  - {name: brisk, capability: weather, timeouts: {call: {first_byte_ms: 700, idle_ms: 300}}}
  - {name: kept, capability: weather, timeouts: {keep_alive_ms: 100}}
";

struct Scene {
    caller: Proxy,
    proxies: Vec<Proxy>,
    witnesses: Vec<Witness>,
    _mesh: Mesh,
}

impl Scene {
    async fn start(replicas: usize) -> Result<Self> {
        let mut mesh = Mesh::new().await?.declaring(ROUTES);
        mesh.start_control().await?;
        let (mut witnesses, mut proxies) = (vec![], vec![]);
        for number in 1..=replicas {
            let replica = format!("{AGENT}-{number}");
            let witness = Witness::start(&replica).await?;
            let shape = Shape { node: format!("{replica}-proxy"), ..Shape::beside(AGENT, &replica, &witness.url()) };
            proxies.push(mesh.start_proxy(&shape.with("drain: {grace_seconds: 30}")).await?);
            witnesses.push(witness);
        }
        let shape = Shape::calling("desk-1", "agent/desk").with("drain: {grace_seconds: 30}");
        let caller = mesh.start_proxy(&shape).await?;
        caller.sees(AGENT, replicas).await?;
        Ok(Self { caller, proxies, witnesses, _mesh: mesh })
    }

    fn only(&self) -> Result<&Witness> {
        self.witnesses.first().context("one witness")
    }

    /// The proxy that stops: that of the caller, or the one beside the agent.
    fn stopping(&mut self, beside_agent: bool) -> Result<&mut Proxy> {
        if beside_agent { self.proxies.first_mut().context("one proxy") } else { Ok(&mut self.caller) }
    }
}

fn call(tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}}}}}}"#)
}

/// A GET stream of a session, or the answer to a call that is a stream.
async fn open(session: &Session, is_get: bool) -> Result<Stream> {
    let headers = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-session-id", &session.id),
        ("mcp-protocol-version", &session.revision),
    ];
    let (method, body) = if is_get { (Method::GET, String::new()) } else { (Method::POST, call("events")) };
    let stream = http::open(method, &session.url, &headers, body).await?;
    ensure!(stream.status == 200, "{}", stream.status);
    Ok(stream)
}

/// Waits until the agent knows that its callers have left.
async fn is_left(witness: &Witness, words: &str, times: usize) -> Result<()> {
    wait::within(AT_ONCE, &format!("{words} is left"), async || {
        ensure!(witness.left(words) == times, "the agent's connection is open");
        Ok(())
    })
    .await
}

async fn said(stream: &mut Stream) -> Result<String> {
    let piece = stream.next().await?.context("the stream ended")?;
    Ok(String::from_utf8(piece.to_vec())?)
}

/// What servers send, each as one piece: priming, a time to wait, an event without data, comments, all ends of lines.
const PIECES: [&str; 7] = [
    "id: x\ndata:\n\n",
    "retry: 500\n\n",
    "id: 2\r\nevent: message\r\ndata: {\"jsonrpc\":\"2.0\",  \"method\":\"notifications/x\"}\r\n\r\n",
    ": a comment\n\n",
    "data: first\ndata:second\ndata\n\n",
    "id\r\r",
    "event: odd\nunknown: field\ndata: \u{1f30a}\n\n",
];

#[tokio::test]
async fn events_arrive_one_by_one_and_byte_for_byte() -> Result<()> {
    let scene = Scene::start(1).await?;
    let session = Session::open(&scene.caller.url(AGENT)).await?;
    for is_get in [true, false] {
        let mut stream = open(&session, is_get).await?;
        for piece in PIECES {
            // The next one is only said when this one was heard: nothing may be held back.
            scene.only()?.say(piece).await?;
            assert_eq!(said(&mut stream).await?, piece, "GET: {is_get}");
        }
        scene.only()?.end().await?;
        assert!(stream.next().await?.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn a_quiet_stream_outlives_the_limits_of_calls() -> Result<()> {
    let scene = Scene::start(1).await?;
    let session = Session::open(&scene.caller.url("brisk")).await?;
    let mut stream = open(&session, true).await?;
    for _ in 0..2 {
        let refused = session.post(call("silence")).await?;
        assert_eq!(
            (refused.status.as_u16(), outrigger_tests::mcp::reason_of(&refused)?.as_str()),
            (504, "upstream_timeout")
        );
    }
    scene.only()?.say("data: still here\n\n").await?;
    assert_eq!(said(&mut stream).await?, "data: still here\n\n");

    // A call that has begun to answer is cut off at its own limit, and seen as broken.
    let mut answer = open(&session, false).await?;
    assert!(answer.next().await.is_err(), "no proper end");
    let metrics = scene.caller.metrics().await?;
    let counted = metrics.lines().any(|line| {
        line.starts_with("outrigger_calls_total{") && line.contains("brisk") && line.contains("idle_timeout")
    });
    assert!(counted, "{metrics}");
    Ok(())
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_by_comments() -> Result<()> {
    let scene = Scene::start(1).await?;
    let session = Session::open(&scene.caller.url("kept")).await?;
    let mut stream = open(&session, true).await?;
    assert_eq!(said(&mut stream).await?, ":\n\n");
    assert_eq!(said(&mut stream).await?, ":\n\n");
    scene.only()?.say("data: a\n\n").await?;
    let event = wait::until("the event", async || {
        let piece = said(&mut stream).await?;
        ensure!(piece != ":\n\n", "a comment");
        Ok(piece)
    });
    assert_eq!(event.await?, "data: a\n\n");
    let mut plain = open(&session.through(&scene.caller.url(AGENT)), true).await?;
    assert_eq!(said(&mut stream).await?, ":\n\n");
    scene.only()?.say("data: b\n\n").await?;
    assert_eq!(said(&mut plain).await?, "data: b\n\n", "another route has no comments");
    Ok(())
}

#[tokio::test]
async fn a_get_stream_ends_between_events_when_either_proxy_stops() -> Result<()> {
    for beside_agent in [false, true] {
        let mut scene = Scene::start(1).await?;
        let session = Session::open(&scene.caller.url(AGENT)).await?;
        let mut stream = open(&session, true).await?;
        scene.only()?.say("id: 1\ndata: a\n\n").await?;
        assert_eq!(said(&mut stream).await?, "id: 1\ndata: a\n\n");
        scene.stopping(beside_agent)?.process.terminate()?;
        // A break would be an error here.
        assert!(stream.next().await?.is_none(), "{beside_agent}");
        is_left(scene.only()?, "GET", 1).await?;
        let status = scene.stopping(beside_agent)?.process.ended().await?;
        assert!(status.success(), "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_that_has_begun_and_an_answer_that_is_owed_arrive_whole_when_either_proxy_stops() -> Result<()> {
    for (beside_agent, is_get) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut scene = Scene::start(1).await?;
        let session = Session::open(&scene.caller.url(AGENT)).await?;
        let mut stream = open(&session, is_get).await?;
        let (first, rest) =
            if is_get { ("id: 1\n", "data: a\n\n") } else { ("data: going on\n\n", "data: result\n\n") };
        scene.only()?.say(first).await?;
        assert_eq!(said(&mut stream).await?, first);
        let stopping = scene.stopping(beside_agent)?;
        stopping.process.terminate()?;
        let readiness = format!("http://{}/healthz/ready", stopping.health);
        wait::until("it tells that it ends", async || {
            let status = http::get(&readiness).await?.status;
            ensure!(status == 503, "{status}");
            Ok(())
        })
        .await?;
        scene.only()?.say(rest).await?;
        assert_eq!(said(&mut stream).await?, rest, "{beside_agent} {is_get}");
        if !is_get {
            scene.only()?.end().await?;
        }
        assert!(stream.next().await?.is_none(), "{beside_agent} {is_get}");
        assert!(scene.stopping(beside_agent)?.process.ended().await?.success());
    }
    Ok(())
}

/// How a caller goes.
#[derive(Debug, Clone, Copy)]
enum Leaving {
    Closes,
    ClosesItsHalf,
    Resets,
}

#[tokio::test]
async fn a_caller_that_leaves_is_known_to_the_agent_at_once() -> Result<()> {
    let scene = Scene::start(1).await?;
    let session = Session::open(&scene.caller.url(AGENT)).await?;
    let witness = scene.only()?;
    let mut expected = [0; 3];
    for leaving in [Leaving::Closes, Leaving::ClosesItsHalf, Leaving::Resets] {
        for (kind, words) in ["silence", "events", "GET"].into_iter().enumerate() {
            let mut stream = TcpStream::connect(&scene.caller.outbound).await?;
            let body = if words == "GET" { String::new() } else { call(words) };
            let verb = if words == "GET" { "GET" } else { "POST" };
            let head = format!(
                "{verb} /{AGENT}/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json, text/event-stream\r\n\
                 Content-Type: application/json\r\nMCP-Protocol-Version: {}\r\nMcp-Session-Id: {}\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                session.revision,
                session.id,
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            expected[kind] += 1;
            wait::until("the agent is asked", async || {
                ensure!(witness.asked(words) == expected[kind]);
                Ok(())
            })
            .await?;
            if words != "silence" {
                stream.read_u8().await.context("the head of the answer")?;
            }
            assert_eq!(witness.left(words), expected[kind] - 1, "{leaving:?} {words}: it is still there");
            let half = leave(stream, leaving).await?;
            is_left(witness, words, expected[kind]).await.with_context(|| format!("{leaving:?}"))?;
            drop(half);
        }
    }
    Ok(())
}

/// What is left of the caller's end.
async fn leave(mut stream: TcpStream, leaving: Leaving) -> Result<Option<TcpStream>> {
    match leaving {
        Leaving::Closes => Ok(None),
        Leaving::ClosesItsHalf => {
            stream.shutdown().await?;
            Ok(Some(stream))
        }
        Leaving::Resets => {
            stream.set_zero_linger()?;
            Ok(None)
        }
    }
}

/// "Cancellation notifications MUST only reference requests that were previously issued in the same direction and are believed to
/// still be in-progress" (2025-06-18, basic/utilities/cancellation): a replica that has no such request has no use for one.
#[tokio::test]
async fn a_cancellation_goes_only_to_the_replica_that_has_the_request() -> Result<()> {
    let scene = Scene::start(3).await?;
    let url = scene.caller.url(AGENT);
    let mut homes = std::collections::BTreeSet::new();
    let counts = |words: &str| scene.witnesses.iter().map(|witness| witness.asked(words)).collect::<Vec<_>>();
    // Until every replica had one; what opens a session is balanced once the pool is known to mint ids.
    for turn in 0..30 {
        let session = Session::open(&url).await?;
        let (before, cancelled) = (counts("silence"), counts("notifications/cancelled"));
        let pending = tokio::spawn({
            let session = session.clone();
            async move { session.post(call("silence")).await }
        });
        let home = wait::until("the call arrives", async || {
            let now = counts("silence");
            now.iter().zip(&before).position(|(now, before)| now > before).context("not yet")
        })
        .await?;
        let note = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
        assert_eq!(session.post(note.to_owned()).await?.status, 202);
        let mut expected = cancelled;
        expected[home] += 1;
        assert_eq!(counts("notifications/cancelled"), expected, "turn {turn}");
        pending.abort();
        homes.insert(home);
        if homes.len() == scene.witnesses.len() {
            break;
        }
    }
    assert_eq!(homes.len(), 3, "sessions are on all replicas");
    Ok(())
}

#[tokio::test]
async fn a_cancellation_without_a_session_follows_its_request() -> Result<()> {
    let scene = Scene::start(3).await?;
    let url = scene.caller.url(AGENT);
    let counts = |words: &str| scene.witnesses.iter().map(|witness| witness.asked(words)).collect::<Vec<_>>();
    let headers = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-protocol-version", "2025-06-18"),
    ];
    for _ in 0..5 {
        let mut answer = http::open(Method::POST, &url, &headers, call("events")).await?;
        assert_eq!(answer.status, 200);
        let note = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
        assert_eq!(http::send(Method::POST, &url, &headers, note).await?.status, 202);
        assert_eq!(counts("notifications/cancelled"), counts(r#""name":"events""#));
        let home = scene.witnesses.iter().find(|witness| witness.asked("notifications/cancelled") > 0);
        home.context("one of them")?.end().await?;
        assert!(answer.next().await?.is_none());
    }
    Ok(())
}
