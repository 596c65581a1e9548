use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger_model::name::NodeId;
use outrigger_model::replica::Generation;
use outrigger_wire::proto::registry::registry_server::{Registry, RegistryServer};
use outrigger_wire::proto::registry::{Facts, Hint, Refused, ReportAgain, Taken, Welcome, facts::Fact, hint};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::{Registration, Reporter};
use crate::health::local::{LocalReplica, LocalReplicas};
use crate::lifecycle::drain::Tasks;
use crate::registration::controls::Controls;
use crate::telemetry::{CallEnd, CallReport, Direction, Events, Metrics};
use crate::tests::{agents, until};

type Hints = mpsc::Sender<Result<Hint, Status>>;

/// Control as a test plays it: hears every fact, and says hints on the newest stream.
#[derive(Clone)]
struct Ear {
    heard: mpsc::Sender<Fact>,
    hints: Arc<Mutex<Option<Hints>>>,
}

#[tonic::async_trait]
impl Registry for Ear {
    type ReportStream = ReceiverStream<Result<Hint, Status>>;

    async fn report(&self, request: Request<Streaming<Facts>>) -> Result<Response<Self::ReportStream>, Status> {
        let (hints, said) = mpsc::channel(8);
        *self.hints.lock().unwrap() = Some(hints);
        let ear = self.clone();
        tokio::spawn(async move {
            let mut facts = request.into_inner();
            while let Ok(Some(Facts { fact: Some(fact) })) = facts.message().await {
                let _ = ear.heard.send(fact).await;
            }
            *ear.hints.lock().unwrap() = None;
        });
        Ok(Response::new(ReceiverStream::new(said)))
    }
}

struct Control {
    ear: Ear,
    heard: mpsc::Receiver<Fact>,
    address: SocketAddr,
    server: JoinSet<()>,
}

impl Control {
    async fn start() -> Self {
        let (heard, facts) = mpsc::channel(64);
        let ear = Ear { heard, hints: Arc::default() };
        let mut control = Self { ear, heard: facts, address: ([127, 0, 0, 1], 0).into(), server: JoinSet::new() };
        control.listen().await;
        control
    }

    async fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let service = Server::builder().add_service(RegistryServer::new(self.ear.clone()));
        self.server.spawn(async move {
            let _ = service.serve_with_incoming(TcpListenerStream::new(listener)).await;
        });
    }

    async fn hears(&mut self) -> Fact {
        timeout(Duration::from_secs(20), self.heard.recv()).await.expect("control heard nothing").unwrap()
    }

    /// The next that is no light signal, in one word and a number.
    async fn hears_word(&mut self) -> String {
        loop {
            match self.hears().await {
                Fact::Light(_) => {}
                Fact::Hello(hello) => return format!("hello {}", hello.node),
                Fact::Report(report) => {
                    let serving = report.replicas.iter().filter(|replica| replica.serving).count();
                    return format!("report {serving} of {}", report.replicas.len());
                }
                Fact::Draining(_) => return "draining".into(),
                Fact::Leave(_) => return "leave".into(),
            }
        }
    }

    async fn says(&self, hint: hint::Hint) {
        let hints = self.ear.hints.lock().unwrap().clone().unwrap();
        hints.send(Ok(Hint { hint: Some(hint) })).await.unwrap();
    }
}

struct Proxy {
    locals: watch::Sender<LocalReplicas>,
    registration: Registration,
    tasks: Tasks,
    events: Arc<Events>,
}

fn proxy(control: &Control) -> Proxy {
    let agents = agents("agents: [{name: weather, replica: weather-1, url: 'http://127.0.0.1:1/mcp'}]");
    let (locals, shown) = watch::channel(vec![LocalReplica::unseen(&agents[0], Generation(1))]);
    let advertise = "127.0.0.1:17006".parse().unwrap();
    let events = Arc::new(Events::new(Metrics::default()));
    let node = NodeId::new("weather-1").unwrap();
    let reporter = Reporter { node, build: "test".into(), advertise, events: Arc::clone(&events) };
    let addresses = vec![control.address.to_string()];
    let addresses = outrigger_client::Addresses::new(addresses, &mut fastrand::Rng::with_seed(1)).unwrap();
    let controls = Controls::new(addresses, |address| outrigger_identity::channel(address, None).unwrap());
    let mut tasks = Tasks::default();
    let registration = Registration::start(reporter, controls, shown, &mut tasks);
    Proxy { locals, registration, tasks, events }
}

impl Proxy {
    fn agent(&self, serving: bool) {
        self.locals.send_modify(|all| {
            all[0].probed = true;
            all[0].serving = serving;
        });
    }
}

fn welcome(light_ms: i32) -> hint::Hint {
    let every = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap()).try_into().unwrap();
    hint::Hint::Welcome(Welcome { light_every: Some(every(light_ms)), lease: Some(every(4 * light_ms)) })
}

#[tokio::test]
async fn changes_are_reported_and_goodbyes_said() {
    let mut control = Control::start().await;
    let mut proxy = proxy(&control);
    assert_eq!(control.hears_word().await, "hello weather-1");
    proxy.agent(true);
    assert_eq!(control.hears_word().await, "report 1 of 1", "nothing is reported before the first look");
    control.says(welcome(60)).await;
    assert!(matches!(control.hears().await, Fact::Light(_)), "as often as control asked");
    control.says(hint::Hint::Taken(Taken { serial: 9 })).await;
    let mut status = proxy.registration.status();
    until(&mut status, |status| status.connected && status.taken == Some(9)).await;
    proxy.agent(false);
    assert_eq!(control.hears_word().await, "report 0 of 1");
    control.says(hint::Hint::ReportAgain(ReportAgain {})).await;
    assert_eq!(control.hears_word().await, "report 0 of 1", "asked for");
    proxy.registration.drain();
    assert_eq!(control.hears_word().await, "draining");
    let leaving = proxy.registration.clone();
    let left = tokio::spawn(async move { leaving.leave().await });
    assert_eq!(control.hears_word().await, "leave");
    // Control ends its side when it heard a goodbye.
    *control.ear.hints.lock().unwrap() = None;
    left.await.unwrap();
    proxy.tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_refusal_is_told_until_the_next_report() {
    let mut control = Control::start().await;
    let mut proxy = proxy(&control);
    proxy.agent(true);
    control.hears_word().await;
    let field = "replicas[0].address".to_owned();
    let said = Refused { replica: "weather-1".into(), reason: "address".into(), field, detail: "not allowed".into() };
    control.says(hint::Hint::Refused(said)).await;
    let mut status = proxy.registration.status();
    let told = until(&mut status, |status| !status.refused.is_empty()).await;
    assert_eq!(told.refused[0].field, "replicas[0].address");
    proxy.agent(false);
    until(&mut status, |status| status.refused.is_empty()).await;
    proxy.tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_control_that_returns_is_told_everything_again() {
    let mut control = Control::start().await;
    let mut proxy = proxy(&control);
    proxy.agent(true);
    while control.hears_word().await != "report 1 of 1" {}
    control.says(welcome(5_000)).await;
    let mut status = proxy.registration.status();
    until(&mut status, |status| status.connected).await;
    proxy.registration.drain();
    assert_eq!(control.hears_word().await, "draining");

    control.server.shutdown().await;
    *control.ear.hints.lock().unwrap() = None;
    until(&mut status, |status| !status.connected && status.trouble.is_some()).await;
    control.listen().await;
    assert_eq!(control.hears_word().await, "hello weather-1");
    assert_eq!(control.hears_word().await, "report 1 of 1");
    assert_eq!(control.hears_word().await, "draining", "it still stands");
    proxy.tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_control_that_is_away_holds_up_no_goodbye() {
    let mut control = Control::start().await;
    control.server.shutdown().await;
    let mut proxy = proxy(&control);
    proxy.agent(true);
    until(&mut proxy.registration.status(), |status| status.trouble.is_some()).await;
    timeout(Duration::from_secs(3), proxy.registration.leave()).await.unwrap();
    proxy.tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn who_is_hushed_says_nothing_and_tells_everything_when_it_goes_on() {
    let mut control = Control::start().await;
    let mut proxy = proxy(&control);
    proxy.agent(true);
    assert_eq!(control.hears_word().await, "hello weather-1");
    assert_eq!(control.hears_word().await, "report 1 of 1");
    proxy.registration.hush();
    proxy.agent(false);
    proxy.registration.resume();
    assert_eq!(control.hears_word().await, "report 0 of 1", "what changed meanwhile is in the next report");
    proxy.registration.hush();
    // It ends without a farewell.
    proxy.tasks.stop(Duration::from_secs(5)).await;
    while let Ok(Some(fact)) = timeout(Duration::from_millis(200), control.heard.recv()).await {
        assert!(matches!(fact, Fact::Light(_)), "{fact:?}");
    }
}

#[tokio::test]
async fn light_signals_say_how_calls_went_since_the_start() {
    let mut control = Control::start().await;
    let mut proxy = proxy(&control);
    let end = |end, status| CallReport {
        direction: Direction::Outbound,
        route: Some("weather"),
        end,
        status,
        attempts: 1,
        took: Duration::from_millis(5),
        first_byte: Some(Duration::from_millis(2)),
        replica: None,
        method: None,
        serial: 1,
        trail: "",
        path: None,
    };
    for (how, status) in [(CallEnd::Answered, 200), (CallEnd::Answered, 404), (CallEnd::Answered, 502)] {
        proxy.events.call_finished(&end(how, status));
    }
    for (how, status) in
        [(CallEnd::Refused("no_route"), 404), (CallEnd::Refused("rate_limited"), 429), (CallEnd::TotalTimeout, 200)]
    {
        proxy.events.call_finished(&CallReport { route: None, first_byte: None, ..end(how, status) });
    }
    proxy.events.call_finished(&CallReport { direction: Direction::Inbound, ..end(CallEnd::Broken, 200) });
    assert_eq!(control.hears_word().await, "hello weather-1");
    proxy.agent(true);
    let Fact::Report(report) = control.hears().await else { panic!("no report") };
    assert!(report.calls.is_some());
    control.says(welcome(60)).await;
    let Fact::Light(light) = control.hears().await else { panic!("no light signal") };
    let calls = light.calls.unwrap();
    assert_eq!((calls.calls, calls.failed), (6, 3), "5xx, nowhere to go, too long; of calls to others only");
    assert_eq!((calls.begun, calls.begun_micros), (3, 6_000));
    assert!(calls.since > 0);
    proxy.tasks.stop(Duration::from_secs(5)).await;
}
