mod refusal;

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_config::{Environment, load_str};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Proxy, Running};
use crate::config::{Settings, Written};

const SOON: Duration = Duration::from_secs(20);
const ANY_PORTS: &str = "listen: {outbound: \"127.0.0.1:0\", inbound: \"127.0.0.1:0\", admin: \"127.0.0.1:0\", \
                         health: \"127.0.0.1:0\"}\ndrain: {grace_seconds: 1}\n";

fn settings_in(folder: &Path, text: &str) -> Settings {
    let nothing: [(&str, &str); 0] = [];
    let file = load_str(text, &Environment::new(nothing)).expect("a file");
    let written = Written { file, folder: folder.to_owned(), host_name: "box".into(), redis_url: None };
    Settings::try_from(written).expect("settings")
}

fn settings(text: &str) -> Settings {
    settings_in(&PathBuf::new(), &format!("{ANY_PORTS}{text}"))
}

async fn started(settings: Settings) -> Running {
    timeout(SOON, Proxy::start(settings)).await.expect("it starts in time").expect("it starts")
}

async fn stopped(running: Running) {
    timeout(SOON, running.stop()).await.expect("it stops in time");
}

async fn request(address: SocketAddr, head: &str, body: &str) -> String {
    let answer = timeout(SOON, async {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let length = body.len();
        let text = format!("{head}\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).await.expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    });
    answer.await.expect("an answer in time")
}

async fn ready_page(running: &Running) -> String {
    request(running.ports.health, "GET /healthz/ready HTTP/1.1", "").await
}

#[tokio::test]
async fn a_busy_port_is_refused_with_its_key_and_a_way_out() {
    let taken = StdListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    for key in ["outbound", "inbound", "admin", "health"] {
        let mut settings = settings("");
        let listen = &mut settings.listen;
        match key {
            "outbound" => listen.outbound = address,
            "inbound" => listen.inbound = address,
            "admin" => listen.admin = address,
            _ => listen.health = address,
        }
        let error = Proxy::start(settings).await.err().expect("the port is taken").to_string();
        assert!(
            error.starts_with(&format!("`listen.{key}`: cannot listen on {address}; another program has")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_proxy_without_control_starts_and_says_why_it_is_not_ready() {
    let running = started(settings("")).await;
    let page = ready_page(&running).await;
    assert!(page.starts_with("HTTP/1.1 503"), "{page}");
    assert!(page.contains("snapshot: no `control:` is configured and there is no last good snapshot"), "{page}");
    let live = request(running.ports.health, "GET /healthz/live HTTP/1.1", "").await;
    assert!(live.starts_with("HTTP/1.1 200"), "{live}");
    let dump = request(running.ports.admin, "GET /config_dump HTTP/1.1", "").await;
    assert!(dump.contains("\"snapshot\":null"), "{dump}");
    stopped(running).await;
}

#[tokio::test]
async fn a_proxy_whose_control_is_away_starts_and_keeps_trying() {
    let away = StdListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let agents = "agents: [{name: weather, url: \"http://127.0.0.1:9/mcp\"}]";
    let running = started(settings(&format!("control: {{address: \"{away}\"}}\n{agents}"))).await;
    let page = ready_page(&running).await;
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("snapshot: the first one from control"), "{page}");
    stopped(running).await;
}

#[tokio::test]
async fn a_redis_that_hangs_or_refuses_delays_no_start() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let refusing = StdListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for address in [hanging.local_addr().expect("an address"), refusing] {
        let running = started(settings(&format!("sessions: {{redis_url: \"redis://{address}\"}}"))).await;
        let live = request(running.ports.health, "GET /healthz/started HTTP/1.1", "").await;
        assert!(live.starts_with("HTTP/1.1 200"), "{live}");
        stopped(running).await;
    }
}

#[tokio::test]
async fn a_corrupt_last_good_file_is_passed_over() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("snapshot.bin"), b"not a snapshot at all").expect("a file");
    std::fs::write(folder.path().join("snapshot.prev.bin"), vec![0; 4_096]).expect("a file");
    let text = format!("{ANY_PORTS}snapshot: {{file: snapshot.bin}}");
    let running = started(settings_in(folder.path(), &text)).await;
    let page = ready_page(&running).await;
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("there is no last good snapshot"), "{page}");
    stopped(running).await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_found_at_the_start() {
    let error = Proxy::start(settings("snapshot: {file: /nowhere/at/all/s.bin}")).await.err().expect("no folder");
    assert!(error.to_string().starts_with("`snapshot.file`: /nowhere/at/all/s.bin is in no folder"), "{error}");
}

#[tokio::test]
async fn an_identity_that_cannot_be_read_is_refused_with_its_path() {
    let text = "identity: {certificate: /nowhere/a.pem, key: /nowhere/a.key, authority: /nowhere/ca.pem}";
    let error = Proxy::start(settings(text)).await.err().expect("no identity");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(error.to_string().starts_with("`identity`") && cause.contains("/nowhere/a.pem"), "{error}: {cause}");
}

#[tokio::test]
async fn two_proxies_in_one_process_do_not_meet() {
    let (one, two) = (started(settings("node: one")).await, started(settings("node: two")).await);
    assert_ne!(one.ports, two.ports);
    stopped(one).await;
    let live = request(two.ports.health, "GET /healthz/live HTTP/1.1", "").await;
    assert!(live.starts_with("HTTP/1.1 200"), "{live}");
    stopped(two).await;
}

#[tokio::test]
async fn a_call_without_a_world_gets_an_answer_that_says_why() {
    let running = started(settings("")).await;
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;
    let head =
        "POST /weather/mcp HTTP/1.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream";
    let answer = request(running.ports.outbound, head, call).await;
    assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("\"id\":7") && answer.contains("\"reason\":"), "{answer}");
    let metrics = request(running.ports.health, "GET /metrics HTTP/1.1", "").await;
    assert!(metrics.contains("outrigger_refusals_total{reason="), "{metrics}");
    stopped(running).await;
}

#[tokio::test]
async fn calls_in_flight_delay_the_stop_no_longer_than_the_grace() {
    let running = started(settings("")).await;
    let mut idle = TcpStream::connect(running.ports.outbound).await.expect("a connection");
    idle.write_all(b"POST /weather/mcp HTTP/1.1\r\n").await.expect("half a head");
    stopped(running).await;
    let mut rest = Vec::new();
    let _ = timeout(SOON, idle.read_to_end(&mut rest)).await.expect("the connection is closed");
}
