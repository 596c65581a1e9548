//! What people and strangers get wrong: each is told clearly, and nothing is lost by it.

use anyhow::{Context as _, Result, ensure};
use http::Method;
use outrigger_tests::fleet::{AGENT, Fleet};
use outrigger_tests::http::{raw, send};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::{Mesh, Shape};
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::process::Process;
use outrigger_tests::wait;
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test]
async fn an_unknown_target_is_named_with_the_routes_there_are() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let body = json!({"jsonrpc": "2.0", "id": 41, "method": "tools/list"}).to_string();
    let reply = mcp::post(&fleet.caller.url("wether"), &[], &body).await?;
    assert_eq!(reply.status, 404);
    let message = mcp::message_of(&reply)?;
    assert_eq!(message["id"], 41);
    assert_eq!(message["error"]["data"]["reason"], "no_route");
    let hint = message["error"]["data"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("weather"), "{message}");

    // A newer client would take 404 for a word of the protocol, so it is told to come back instead.
    let headers = [("mcp-protocol-version", mcp::MODERN), ("mcp-method", "tools/list")];
    let reply = mcp::post(&fleet.caller.url("wether"), &headers, &body).await?;
    assert_eq!(reply.status, 503);
    assert!(reply.header("retry-after").is_some());
    Session::open(&fleet.url()).await?.call("increment").await?;
    Ok(())
}

/// Real agents refuse these too, with the same status; here they do not get them.
#[tokio::test]
async fn what_is_no_message_is_refused_as_agents_refuse_it() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    for (body, code) in
        [("{\"jsonrpc\": \"2.0\", \"id\": 1, ", -32700), ("", -32700), ("\u{0}\u{1}", -32700), ("\"text\"", -32600)]
    {
        let direct = mcp::post(&fleet.agents[0].url(), &[], body).await?;
        let through = mcp::post(&fleet.url(), &[], body).await?;
        assert_eq!(through.status, direct.status, "{body:?}: {} instead of {}", through.body, direct.body);
        assert_eq!(mcp::reason_of(&through)?, "not_a_message", "{body:?}");
        assert_eq!(mcp::message_of(&through)?["error"]["code"], code, "{body:?}");
    }
    let twice = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"})
        .to_string()
        .replace("ping\"", "ping\", \"m\\u0065thod\": \"tools/call\"");
    let reply = mcp::post(&fleet.url(), &[], &twice).await?;
    assert_eq!((reply.status.as_u16(), &mcp::message_of(&reply)?["id"]), (400, &json!(7)), "{}", reply.body);
    Ok(())
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_the_proxy_goes_on() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let small = Shape::calling("small-1", "agent/desk").with("limits: {body_bytes_max: 10000}");
    let small = fleet.mesh.start_proxy(&small).await?;
    small.sees(AGENT, 3).await?;
    let body = json!({"jsonrpc": "2.0", "id": 3, "method": "ping", "params": {"pad": "x".repeat(20_000)}});
    let reply = mcp::post(&small.url(AGENT), &[], &body.to_string()).await?;
    assert_eq!(reply.status, 413, "{}", reply.body);
    assert_eq!(mcp::reason_of(&reply)?, "body_too_large");
    Session::open(&small.url(AGENT)).await?.call("increment").await?;
    Ok(())
}

#[tokio::test]
async fn strangers_hosts_and_origins_are_refused() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let body = mcp::tool_call(1, "increment").to_string();
    for (header, reason) in [
        (("host", "evil.example"), "host_not_allowed"),
        (("origin", "http://evil.example"), "origin_not_allowed"),
        (("origin", "null"), "origin_not_allowed"),
    ] {
        let reply = mcp::post(&fleet.url(), &[header], &body).await?;
        assert_eq!(reply.status, 403, "{header:?} {}", reply.body);
        assert_eq!(mcp::reason_of(&reply)?, reason);
    }
    for request in [
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        "POST /weather/mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let request = request.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
        let reply = raw(&fleet.caller.outbound, request.as_bytes()).await?;
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 400"), "{request}: {reply}");
    }
    Ok(())
}

#[tokio::test]
async fn only_proxies_of_the_mesh_come_in() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let inbound = &fleet.proxies[0].inbound;
    let plain = send(Method::POST, &format!("http://{inbound}/agents/weather-1/mcp"), &[], "{}").await;
    assert!(plain.is_err(), "plaintext came in: {plain:?}");
    Ok(())
}

/// Runs `outrigger KIND -f FILE` on a text and answers with its exit code and what it said.
async fn told(mesh: &Mesh, kind: &str, text: &str) -> Result<(i32, String)> {
    let file = mesh.file(&format!("{kind}-told.yaml"));
    std::fs::write(&file, text)?;
    let done = mesh.outrigger(&[kind, "-f", &file.display().to_string()]).await?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Ok((done.status.code().unwrap_or(-1), said))
}

#[tokio::test]
async fn a_configuration_that_cannot_be_meant_is_refused_with_the_next_step() -> Result<()> {
    let mesh = Mesh::new().await?;
    let cases: [(&str, &str, &[&str]); 7] = [
        ("proxy", "nod: weather-1\n", &["nod", "node"]),
        ("proxy", "agents:\n  - name: weather\n    ulr: http://127.0.0.1:1/mcp\n", &["ulr", "url"]),
        ("proxy", "listen: {outbound: here}\n", &["outbound"]),
        ("proxy", "node: [\n", &["proxy-told.yaml"]),
        ("proxy", "agents:\n  - name: weather\n    url: ftp://127.0.0.1/\n", &["url"]),
        ("proxy", "listen: {inbound: \"0.0.0.0:0\"}\n", &["identity", "insecure"]),
        ("control", "store: mysql\n", &["store", "sqlite"]),
    ];
    for (kind, text, words) in cases {
        let (code, said) = told(&mesh, kind, text).await?;
        assert_eq!(code, 64, "{text}: {said}");
        for word in words {
            assert!(said.contains(word), "{text}: no `{word}` in: {said}");
        }
    }
    let missing = mesh.outrigger(&["proxy", "-f", "gone.yaml"]).await?;
    assert_eq!(missing.status.code(), Some(64), "{missing:?}");
    Ok(())
}

#[tokio::test]
async fn a_busy_port_is_named() -> Result<()> {
    let mesh = Mesh::new().await?;
    let busy = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = busy.local_addr()?.to_string();
    let proxy = format!(
        "listen: {{outbound: \"{address}\", inbound: \"127.0.0.1:0\", admin: \"127.0.0.1:0\", health: \"127.0.0.1:0\"}}\n"
    );
    let control = format!("listen: {{grpc: \"127.0.0.1:0\", http: \"{address}\"}}\nstore: memory\n");
    for (kind, text) in [("proxy", proxy), ("control", control)] {
        let (code, said) = told(&mesh, kind, &text).await?;
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(&address), "{kind}: {said}");
    }
    Ok(())
}

/// A proxy may not send the fleet's calls wherever it likes.
#[tokio::test]
async fn a_registration_with_an_address_that_is_not_allowed_is_refused_and_said() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let agent = Agent::start(Sdk::Rust, "stray-1", fleet.mesh.folder()).await?;
    let stray = Shape { node: "stray-proxy".into(), ..Shape::beside("stray", "stray-1", &agent.url()) };
    let mut stray = fleet.mesh.start_proxy(&stray.with("advertise: \"169.254.169.254:80\"")).await?;
    stray.process.says("169.254.169.254").await?;
    let told = wait::until("the event", async || {
        let events = fleet.mesh.get("events").await?;
        let refused = events.iter().find(|event| event.to_string().contains("169.254.169.254"));
        refused.cloned().ok_or_else(|| anyhow::anyhow!("{events:?}"))
    });
    told.await?;
    let agents = fleet.mesh.get("agents").await?;
    assert!(!agents.iter().any(|agent| agent["name"] == "stray"), "{agents:?}");
    fleet.caller.sees(AGENT, 3).await
}

/// An identity speaks for its own agent only.
#[tokio::test]
async fn a_registration_of_somebody_elses_agent_is_refused() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let agent = Agent::start(Sdk::Rust, "false-1", fleet.mesh.folder()).await?;
    let shape = Shape::beside(AGENT, "false-1", &agent.url());
    let shape = Shape { node: "false-proxy".into(), identity: "agent/thief".into(), ..shape };
    let mut proxy = fleet.mesh.start_proxy(&shape).await?;
    proxy.process.says("may not").await?;
    let agents = fleet.mesh.get("agents").await?;
    let weather = agents.iter().find(|agent| agent["name"] == AGENT).cloned().unwrap_or(Value::Null);
    assert_eq!(weather["replicas"].as_array().map(Vec::len), Some(3), "{weather}");
    Ok(())
}

#[tokio::test]
async fn nonsense_on_every_port_ends_nothing() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let ports = [&fleet.caller.outbound, &fleet.caller.inbound, &fleet.caller.admin, &fleet.caller.health];
    let ports: Vec<String> = ports.into_iter().cloned().collect();
    for port in ports.iter().map(String::as_str).chain([fleet.mesh.control_http(), fleet.mesh.control_grpc()]) {
        for noise in [&b"\x16\x03\x01\x00\x05nope!"[..], b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n", &[0xff; 4096]] {
            // Whether it is answered or hung up on is up to the listener.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(300), raw(port, noise)).await;
        }
    }
    assert!(fleet.caller.process.is_running());
    Session::open(&fleet.url()).await?.call("increment").await?;
    fleet.mesh.is_synced(fleet.proxies_count()).await
}

#[tokio::test]
async fn bad_words_on_the_command_line_are_exit_code_two() -> Result<()> {
    let mut command = Command::new(outrigger_tests::binary::outrigger()?);
    command.args(["get", "wether"]);
    let folder = tempfile::tempdir()?;
    let status = Process::start("usage", folder.path(), command)?.ended().await?;
    assert_eq!(status.code(), Some(2));
    Ok(())
}

/// A file of the corpus of bad input, as it is sent, and how its answer begins.
fn bad_files() -> Result<Vec<(String, Vec<u8>, String)>> {
    let folder = outrigger_tests::binary::root().join("tests/corpus/bad");
    let mut files = vec![];
    for kind in ["http", "jsonrpc"] {
        for row in std::fs::read_to_string(folder.join(kind).join("index.tsv"))?.lines() {
            let (path, expected) = row.split_once('\t').context(row.to_owned())?;
            let bytes = std::fs::read(folder.join(kind).join(path))?;
            let head = "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let (sent, status) = match kind {
                "http" => (bytes, expected.split('\t').next().unwrap_or_default()),
                _ => ([format!("{head}Content-Length: {}\r\n\r\n", bytes.len()).as_bytes(), &bytes].concat(), "400"),
            };
            // The ones are waited for, and after the others the connection stays.
            if !path.starts_with("cut_short") && !path.starts_with("mcp/") && status != "404" {
                files.push((format!("{kind}/{path}"), sent, format!("HTTP/1.1 {status} ")));
            }
        }
    }
    Ok(files)
}

/// All files go through a gateway in the tests of the proxy; here is a part of them against real processes.
#[tokio::test]
async fn a_tenth_of_the_corpus_of_bad_input_is_refused_and_reaches_no_other_proxy() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let files = bad_files()?;
    let chosen: Vec<_> = files.iter().step_by(10).collect();
    assert!(chosen.len() > 70, "{}", chosen.len());
    for (path, sent, status) in &chosen {
        let reply = raw(&fleet.caller.outbound, sent).await?;
        assert!(reply.starts_with(status), "{path}: {reply}");
    }
    wait::until("every refusal is counted", async || {
        let metrics = fleet.caller.metrics().await?;
        let lines = metrics.lines().filter(|line| line.starts_with("outrigger_refusals_total{"));
        let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        ensure!(counts.sum::<usize>() == chosen.len(), "{metrics}");
        Ok(())
    })
    .await?;
    for proxy in &fleet.proxies {
        let metrics = proxy.metrics().await?;
        assert!(!metrics.lines().any(|line| line.starts_with("outrigger_calls_total{")), "{metrics}");
    }
    Session::open(&fleet.url()).await?.call("increment").await?;
    Ok(())
}

#[tokio::test]
async fn the_corpora_are_what_their_tables_say() -> Result<()> {
    let mut command = Command::new("python3");
    command.arg(outrigger_tests::binary::root().join("tests/corpus/make.py")).arg("--check");
    let done = command.env("PYTHONDONTWRITEBYTECODE", "1").output().await?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
