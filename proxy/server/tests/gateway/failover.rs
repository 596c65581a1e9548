//! Sessions whose replica goes: told so, or opened again elsewhere where the route says so, and nothing runs twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::key::{OnLoss, SessionPolicy};
use outrigger_model::route::RoutePolicy;
use outrigger_proxy::session::memory::Memory;
use outrigger_proxy::session::store::Store;

use crate::caller::{Answer, Caller};
use crate::mesh::{Proxy, Scene, closed_port};
use crate::server::{Manner, Server, field};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"open","method":"initialize","params":{"clientInfo":{"name":"me"}}}"#;
const REPLICAS: [&str; 3] = ["weather-1", "weather-2", "weather-3"];
const MARK: &str = "outrigger-session: reestablished";

/// Three replicas, and a proxy that calls them.
struct Fleet {
    servers: Vec<Server>,
    scene: Scene,
    proxy: Proxy,
}

impl Fleet {
    async fn start(manner: Manner, on_loss: OnLoss) -> Self {
        let mut servers = Vec::new();
        for name in REPLICAS {
            servers.push(Server::start(name, manner).await);
        }
        let agents: Vec<_> = servers.iter().zip(REPLICAS).map(|(server, name)| (name, server.address())).collect();
        let sessions = SessionPolicy { on_loss, ..SessionPolicy::default() };
        let policy = RoutePolicy { sessions, ..RoutePolicy::default() };
        let scene = Scene { policy, ..Scene::of_own(&agents) };
        let proxy = scene.start();
        Self { servers, scene, proxy }
    }

    async fn moving() -> Self {
        Self::start(Manner::default(), OnLoss::Reestablish).await
    }

    fn server(&self, replica: &str) -> &Server {
        let at = REPLICAS.iter().position(|name| *name == replica).expect("a replica");
        &self.servers[at]
    }

    /// The port of one replica refuses connections from now on.
    fn close(&mut self, replica: &str) {
        let own = self.scene.own.iter_mut().find(|(name, _)| *name == replica).expect("a replica");
        own.1 = closed_port();
        self.proxy.show(&self.scene);
    }

    fn moves(&self, result: &str) -> u64 {
        self.proxy.count(&format!("outrigger_session_moves_total{{result=\"{result}\"}}"))
    }

    fn runs(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for (id, count) in self.servers.iter().flat_map(Server::runs) {
            *all.entry(id).or_default() += count;
        }
        all
    }
}

/// A session as its client knows it.
#[derive(Clone)]
struct Session {
    id: String,
    /// The replica that opened it.
    home: String,
}

fn fields(session: &Session) -> String {
    format!("Mcp-Session-Id: {}\r\nMCP-Protocol-Version: 2025-11-25\r\nAuthorization: Bearer t\r\n", session.id)
}

async fn open(proxy: &Proxy) -> Session {
    let mut caller = Caller::connect(proxy.outbound).await;
    let answer = caller.post("/weather/mcp", "Authorization: Bearer t\r\n", INITIALIZE).await;
    let id = field(&answer.head, "mcp-session-id").expect("an id");
    let (home, _) = id.rsplit_once('-').expect("a name");
    Session { home: home.to_owned(), id }
}

fn calling(id: usize, tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
}

async fn say(proxy: &Proxy, session: &Session, body: &str) -> Answer {
    Caller::connect(proxy.outbound).await.post("/weather/mcp", &fields(session), body).await
}

async fn call(proxy: &Proxy, session: &Session, id: usize) -> Answer {
    say(proxy, session, &calling(id, "forecast")).await
}

fn from(answer: &Answer) -> String {
    answer.json()["result"]["from"].as_str().expect("a name").to_owned()
}

/// What may become of the replica of a session.
enum Loss {
    ClosesItsPort,
    StartsAgain,
    Leaves,
    Forgets,
}

impl Loss {
    fn befall(&self, fleet: &mut Fleet, home: &str) {
        match self {
            Self::ClosesItsPort => fleet.close(home),
            Self::StartsAgain => {
                fleet.scene.generation += 1;
                fleet.servers.iter().for_each(Server::forget);
                fleet.proxy.show(&fleet.scene);
            }
            Self::Leaves => {
                fleet.scene.own.retain(|(name, _)| *name != home);
                fleet.proxy.show(&fleet.scene);
            }
            Self::Forgets => fleet.server(home).forget(),
        }
    }
}

const LOSSES: [Loss; 4] = [Loss::ClosesItsPort, Loss::StartsAgain, Loss::Leaves, Loss::Forgets];

#[tokio::test]
async fn a_session_whose_replica_is_gone_goes_on_under_its_own_id() {
    for loss in LOSSES {
        let mut fleet = Fleet::moving().await;
        let session = open(&fleet.proxy).await;
        loss.befall(&mut fleet, &session.home);
        let began = Instant::now();
        let answer = call(&fleet.proxy, &session, 1).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.has_header(MARK), "{}", answer.head);
        let (home, again) = (from(&answer), call(&fleet.proxy, &session, 2).await);
        assert_eq!(from(&again), home, "it lives there now");
        assert!(!again.has_header(MARK), "said once: {}", again.head);
        assert_eq!(fleet.moves("reestablished"), 1);
        assert!(fleet.runs().values().all(|count| *count == 1), "{:?}", fleet.runs());
    }
}

#[tokio::test]
async fn without_the_policy_the_client_is_told_that_its_session_is_gone() {
    for loss in LOSSES {
        let mut fleet = Fleet::start(Manner::default(), OnLoss::NotFound).await;
        let session = open(&fleet.proxy).await;
        loss.befall(&mut fleet, &session.home);
        assert_eq!(call(&fleet.proxy, &session, 1).await.status, 404);
        assert!(fleet.runs().is_empty());
        assert_eq!(fleet.servers.iter().map(Server::opened).sum::<usize>(), 1);
    }
}

/// 2025-11-25 `basic/lifecycle`: "After successful initialization, the client MUST send an `initialized` notification".
#[tokio::test]
async fn the_new_replica_is_told_what_the_first_one_was_by_the_same_caller() {
    let mut fleet = Fleet::moving().await;
    let session = open(&fleet.proxy).await;
    fleet.close(&session.home);
    let home = from(&call(&fleet.proxy, &session, 1).await);
    let requests = fleet.server(&home).requests();
    let [opening, initialized, pending] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(opening.body, INITIALIZE.as_bytes());
    assert_eq!(field(&opening.head, "mcp-session-id"), None);
    assert_eq!(field(&opening.head, "mcp-protocol-version"), None);
    assert!(String::from_utf8_lossy(&initialized.body).contains("notifications/initialized"));
    let id = field(&initialized.head, "mcp-session-id");
    assert!(id.is_some() && id.as_ref() != Some(&session.id));
    assert_eq!(field(&pending.head, "mcp-session-id"), id);
    for request in &requests {
        assert_eq!(field(&request.head, "authorization").as_deref(), Some("Bearer t"), "{}", request.head);
        assert!(field(&request.head, "accept").expect("accept").contains("text/event-stream"));
    }
    for request in [initialized, pending] {
        assert_eq!(field(&request.head, "mcp-protocol-version").as_deref(), Some("2025-11-25"));
    }
}

#[tokio::test]
async fn streams_and_the_end_of_a_session_follow_it() {
    let mut fleet = Fleet::start(Manner { streams: true, ..Manner::default() }, OnLoss::Reestablish).await;
    let session = open(&fleet.proxy).await;
    fleet.close(&session.home);
    let mut caller = Caller::connect(fleet.proxy.outbound).await;
    let head = format!("Host: localhost\r\n{}\r\n", fields(&session));
    caller.send(&format!("GET /weather/mcp HTTP/1.1\r\n{head}")).await;
    let answer = caller.answer().await;
    assert_eq!(answer.status, 200);
    assert!(answer.has_header(MARK), "{}", answer.head);
    let open = |fleet: &Fleet| fleet.servers.iter().map(Server::sessions).sum::<usize>();
    assert_eq!(open(&fleet), 2, "the old one, and the new one");
    caller.send(&format!("DELETE /weather/mcp HTTP/1.1\r\n{head}")).await;
    assert_eq!(caller.answer().await.status, 200);
    assert_eq!(open(&fleet), 1);
}

#[tokio::test]
async fn what_may_have_run_is_not_sent_again_and_the_next_call_moves() {
    let mut fleet = Fleet::moving().await;
    let session = open(&fleet.proxy).await;
    let answer = say(&fleet.proxy, &session, &calling(1, "hang-up")).await;
    assert_eq!((answer.status, answer.reason().as_str()), (502, "upstream_lost"));
    assert_eq!(answer.json()["error"]["data"]["may_have_run"], true);
    fleet.close(&session.home);
    assert_eq!(call(&fleet.proxy, &session, 2).await.status, 200);
    assert_eq!(fleet.runs(), BTreeMap::from([("1".to_owned(), 1), ("2".to_owned(), 1)]));
}

#[tokio::test]
async fn of_all_calls_at_once_one_opens_the_session_and_the_others_wait_for_it() {
    let mut fleet = Fleet::moving().await;
    let session = open(&fleet.proxy).await;
    fleet.close(&session.home);
    let answers = futures_util::future::join_all((0..20).map(|id| call(&fleet.proxy, &session, id))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(fleet.servers.iter().map(Server::opened).sum::<usize>(), 2, "the first one, and one more");
    assert!(fleet.runs().len() == 20 && fleet.runs().values().all(|count| *count == 1), "{:?}", fleet.runs());
}

#[tokio::test]
async fn of_all_proxies_at_once_one_wins_and_what_the_others_opened_is_ended() {
    let mut fleet = Fleet::moving().await;
    let shared: Arc<dyn Store> = Arc::new(Memory::new(100));
    fleet.scene.shared = Some(shared);
    let proxies: Vec<Proxy> = (0..4).map(|_| fleet.scene.start()).collect();
    for turn in 0..10 {
        let session = open(&proxies[0]).await;
        // The second knows the session already, the others have to ask the store.
        assert_eq!(call(&proxies[1], &session, 1_000 + turn).await.status, 200);
        let scene = fleet.scene.clone();
        fleet.close(&session.home);
        proxies.iter().for_each(|proxy| proxy.show(&fleet.scene));
        let calls = proxies.iter().enumerate().map(|(at, proxy)| call(proxy, &session, turn * 10 + at));
        let answers = futures_util::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        let homes: Vec<String> = answers.iter().map(from).collect();
        assert!(homes.iter().all(|home| *home == homes[0]), "{homes:?}");
        let open = fleet.servers.iter().map(Server::sessions).sum::<usize>();
        assert_eq!(open, 2 * (turn + 1), "the old one nobody could end, and one new one");
        fleet.scene = scene;
        proxies.iter().for_each(|proxy| proxy.show(&fleet.scene));
    }
}

#[tokio::test]
async fn a_session_that_the_agent_needs_its_client_for_is_never_opened_again() {
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"a"}}"#;
    for body in [calling(1, "ask"), subscribe.to_owned()] {
        let mut fleet = Fleet::moving().await;
        let session = open(&fleet.proxy).await;
        assert_eq!(say(&fleet.proxy, &session, &body).await.status, 200);
        fleet.close(&session.home);
        let answer = call(&fleet.proxy, &session, 2).await;
        assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"), "{body}");
        assert_eq!(fleet.proxy.count("outrigger_sessions_pinned_total"), 1);
        assert_eq!(fleet.servers.iter().map(Server::opened).sum::<usize>(), 1);
    }
}

#[tokio::test]
async fn a_session_goes_on_in_its_own_revision_or_not_at_all() {
    let mut fleet = Fleet::start(Manner { revision: "2025-06-18", ..Manner::default() }, OnLoss::Reestablish).await;
    let session = open(&fleet.proxy).await;
    fleet.close(&session.home);
    let answer = call(&fleet.proxy, &session, 1).await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
    assert_eq!(fleet.servers.iter().map(Server::sessions).sum::<usize>(), 1, "the new one was ended again");
    assert_eq!(fleet.moves("refused"), 1);
}

#[tokio::test]
async fn while_nobody_can_open_the_session_it_is_kept() {
    let mut fleet = Fleet::moving().await;
    let session = open(&fleet.proxy).await;
    let scene = fleet.scene.clone();
    for name in REPLICAS {
        fleet.close(name);
    }
    let answer = call(&fleet.proxy, &session, 1).await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "session_unreachable"));
    fleet.proxy.show(&Scene { generation: 2, ..scene });
    assert_eq!(call(&fleet.proxy, &session, 2).await.status, 200);
}

#[tokio::test]
async fn a_rolling_restart_of_all_replicas_loses_no_call() {
    let fleet = Fleet::moving().await;
    let sides: Vec<(&'static str, Scene)> =
        fleet.scene.own.iter().map(|own| (own.0, Scene { own: vec![*own], ..fleet.scene.clone() })).collect();
    let mut providers: Vec<Proxy> = sides.iter().map(|(_, scene)| scene.start()).collect();
    let peers = |providers: &[Proxy]| -> Vec<_> {
        sides.iter().zip(providers).map(|((name, _), proxy)| (*name, proxy.inbound, None)).collect()
    };
    let mut scene = Scene { policy: fleet.scene.policy.clone(), ..Scene::of_peers(&peers(&providers)) };
    let proxy = scene.start();
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(open(&proxy).await);
    }
    let mut id = 0;
    for at in 0..providers.len() {
        // It stops; the callers learn of it by its refusals, then from the mesh, and it comes back without its memory.
        let mut old = std::mem::replace(&mut providers[at], sides[at].1.start());
        let calls = async {
            for session in sessions.iter().cycle().take(30) {
                id += 1;
                let answer = call(&proxy, session, id).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        };
        tokio::join!(calls, old.stop(Duration::from_secs(10)));
        fleet.servers[at].forget();
        scene = Scene { peers: peers(&providers), ..scene };
        proxy.show(&scene);
        for session in &sessions {
            id += 1;
            let answer = call(&proxy, session, id).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
    assert!(fleet.runs().len() == id && fleet.runs().values().all(|count| *count == 1), "{:?}", fleet.runs());
}

/// A caller of HTTP/2 keeps its id and is told of the move like any other.
#[tokio::test]
async fn a_session_of_a_caller_of_http2_moves_too() {
    let mut fleet = Fleet::moving().await;
    let session = open(&fleet.proxy).await;
    fleet.close(&session.home);
    let stream = tokio::net::TcpStream::connect(fleet.proxy.outbound).await.expect("connect");
    let (client, connection) = h2::client::handshake(stream).await.expect("handshake");
    tokio::spawn(async move { drop(connection.await) });
    let mut client = client.ready().await.expect("ready");
    let request = http::Request::post("http://127.0.0.1/weather/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-session-id", &session.id)
        .header("mcp-protocol-version", "2025-11-25")
        .body(())
        .expect("a request");
    let (answer, mut body) = client.send_request(request, false).expect("sent");
    body.send_data(calling(1, "forecast").into(), true).expect("sent");
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["outrigger-session"], "reestablished");
    assert_eq!(fleet.moves("reestablished"), 1);
}
