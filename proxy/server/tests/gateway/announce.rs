//! Servers of 2024-11-05: a stream that begins with the URI for messages.

use crate::agent::{Agent, Conversation};
use crate::caller::{Answer, CALL, Caller};
use crate::mesh::{Proxy, Scene};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const GET: &str = "HTTP/1.1\r\nHost: localhost:1\r\nAccept: text/event-stream\r\n\r\n";

/// Answers a GET with `STREAM` and these bytes, and stays; answers a POST with 202 and the line it came with.
async fn old_agent(begin: &[&str]) -> Agent {
    let begin: Vec<String> = begin.iter().map(|text| format!("{:x}\r\n{text}\r\n", text.len())).collect();
    Agent::start(move |mut conversation| {
        let begin = begin.clone();
        async move {
            while let Some(request) = conversation.request().await {
                let line = request.head.lines().next().expect("a line").to_owned();
                if line.starts_with("GET") {
                    return stream(&mut conversation, &begin).await;
                }
                let length = line.len();
                let answer = format!("HTTP/1.1 202 Accepted\r\nContent-Length: {length}\r\n\r\n{line}");
                conversation.send(answer.as_bytes()).await;
            }
        }
    })
    .await
}

async fn stream(conversation: &mut Conversation, begin: &[String]) {
    conversation.send(STREAM.as_bytes()).await;
    for piece in begin {
        conversation.send(piece.as_bytes()).await;
    }
    conversation.closed().await;
}

/// What a caller of `path` reads until the stream has said `until`.
async fn listen(proxy: &Proxy, path: &str, until: &str) -> (Caller, String) {
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&format!("GET {path} {GET}")).await;
    assert_eq!(caller.head().await.status, 200);
    let mut heard = String::new();
    while !heard.contains(until) {
        heard.push_str(std::str::from_utf8(&caller.chunk().await.expect("a chunk")).expect("text"));
    }
    (caller, heard)
}

fn uri(heard: &str) -> &str {
    heard.lines().find_map(|line| line.strip_prefix("data: ")).expect("a URI")
}

async fn post(proxy: &Proxy, uri: &str) -> Answer {
    Caller::connect(proxy.outbound).await.post(uri, "", CALL).await
}

fn two_proxies(agents: &[(&'static str, &Agent)]) -> (Vec<Proxy>, Proxy) {
    let beside: Vec<_> =
        agents.iter().map(|(name, agent)| (*name, Scene::of_own(&[(*name, agent.address)]).start())).collect();
    let peers: Vec<_> = beside.iter().map(|(name, proxy)| (*name, proxy.inbound, None)).collect();
    (beside.into_iter().map(|(_, proxy)| proxy).collect(), Scene::of_peers(&peers).start())
}

#[tokio::test]
async fn messages_reach_the_announced_path_through_two_proxies_until_the_stream_ends() {
    // The event comes in three chunks, and the last holds the beginning of the next one.
    let begin = ["event: ", "endpoint\r\ndata: /", "messages/?s=1\r\n\r\nevent: message\r\ndat", "a: 2\n\n"];
    let agent = old_agent(&begin).await;
    let (_beside, calling) = two_proxies(&[("weather-1", &agent)]);
    let (caller, heard) = listen(&calling, "/weather/sse", "data: 2\n\n").await;
    let (front, back) = heard.split_once("\r\n\r\n").expect("an event");
    assert_eq!(back, "event: message\r\ndata: 2\n\n", "what follows is untouched");
    let announced = uri(front).to_owned();
    assert!(announced.starts_with("/weather/sse?outrigger-message=weather-1."), "{announced}");
    let answer = post(&calling, &announced).await;
    assert_eq!((answer.status, answer.text()), (202, "POST /messages/?s=1 HTTP/1.1"));
    drop(caller);
    // The stream's end travels through two proxies; until it has, messages are still taken.
    let gone = loop {
        let answer = post(&calling, &announced).await;
        if answer.status != 202 {
            break answer;
        }
    };
    assert_eq!((gone.status, gone.reason().as_str()), (404, "session_gone"));
}

#[tokio::test]
async fn each_stream_keeps_its_own_replica() {
    let agents = [
        old_agent(&["event: endpoint\ndata: /one?s=1\n\n"]).await,
        old_agent(&["event: endpoint\ndata: /two?s=1\n\n"]).await,
        old_agent(&["event: endpoint\ndata: /tri?s=1\n\n"]).await,
    ];
    let (_beside, calling) =
        two_proxies(&[("weather-1", &agents[0]), ("weather-2", &agents[1]), ("weather-3", &agents[2])]);
    let names = [("weather-1", "one"), ("weather-2", "two"), ("weather-3", "tri")];
    let mut streams = Vec::new();
    for (replica, path) in names.into_iter().chain(names) {
        let (caller, heard) = listen(&calling, &format!("/agents/{replica}/mcp"), "\n\n").await;
        streams.push((caller, uri(&heard).to_owned(), path));
    }
    for (_, announced, path) in &streams {
        let answer = post(&calling, announced).await;
        assert_eq!(answer.text(), format!("POST /{path}?s=1 HTTP/1.1"));
    }
}

#[tokio::test]
async fn an_agent_beside_the_caller_and_an_absolute_uri_are_the_same_to_a_client() {
    let agent = Agent::start(|mut conversation| async move {
        let request = conversation.request().await.expect("a request");
        let host = request.head.lines().find_map(|line| line.strip_prefix("Host: ")).expect("a host").to_owned();
        if request.head.starts_with("POST") {
            let line = request.head.lines().next().expect("a line");
            conversation
                .send(format!("HTTP/1.1 202 Accepted\r\nContent-Length: {}\r\n\r\n{line}", line.len()).as_bytes())
                .await;
            return;
        }
        let event = format!("event: endpoint\ndata: http://{host}/messages?s=1\n\n");
        // Without chunks: the end of the connection is the end of the stream.
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n").await;
        conversation.send(event.as_bytes()).await;
        conversation.closed().await;
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&format!("GET /weather/mcp {GET}")).await;
    assert_eq!(caller.head().await.status, 200);
    let event = caller.until("\n\n").await;
    let announced = uri(&event);
    assert!(announced.starts_with("/weather/mcp?outrigger-message=weather-1."), "{announced}");
    assert_eq!(post(&proxy, announced).await.text(), "POST /messages?s=1 HTTP/1.1");
}

#[tokio::test]
async fn a_uri_that_is_not_the_agents_and_a_stream_that_begins_otherwise_pass_as_they_are() {
    for event in ["event: endpoint\ndata: http://evil.example/take\n\n", "id: 0\ndata:\n\n", "data: {}\r\n\r\n: a\n\n"]
    {
        let agent = old_agent(&[event]).await;
        let (_beside, calling) = two_proxies(&[("weather-1", &agent)]);
        let (_caller, heard) = listen(&calling, "/weather/mcp", "\n\n").await;
        assert_eq!(heard, event);
    }
}

#[tokio::test]
async fn who_did_not_hear_an_announcement_reaches_nothing_with_a_guess() {
    let agent = old_agent(&["event: endpoint\ndata: /messages\n\n"]).await;
    let (beside, calling) = two_proxies(&[("weather-1", &agent)]);
    let (_caller, heard) = listen(&calling, "/weather/mcp", "\n\n").await;
    let (front, token) = uri(&heard).rsplit_once('.').expect("a token");
    let other = if token.starts_with('0') { "1" } else { "0" };
    let guess = format!("{front}.{other}{}", &token[1..]);
    assert_eq!(post(&calling, &guess).await.reason(), "session_gone");
    let gone = format!("/weather/mcp?outrigger-message=weather-9.{token}");
    assert_eq!(post(&calling, &gone).await.reason(), "session_gone");
    let mut peer = Caller::connect(beside[0].inbound).await;
    let answer = peer.post(&guess.replace("/weather/", "/agents/weather-1/"), "", CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
    assert_eq!(agent.requests(), 1, "the stream and nothing else");
}
