//! Heartbeats as agents of mcp-mesh send them, over connections that stay open.
//!
//! In: an address, how many agents. Out: how many were answered, and how long each took.
//! Never here: what they cost the other side.
//! Invariant: only 200 and 202 count, and a full one only if it was taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::error::ControlError;
use crate::generate::figures::Times;

/// Far more than an answer has.
const ANSWER_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    Light,
    /// Full, with the body that was sent before.
    Same,
    /// Full, with another body each time.
    Changed,
}

/// Who sends them.
#[derive(Debug, Clone, Copy)]
pub struct Agents {
    pub count: usize,
    pub tools_each: usize,
    pub connections: usize,
}

#[derive(Debug, Default)]
pub struct Count {
    pub done: u64,
    pub times: Times,
}

/// A full heartbeat of every agent.
pub async fn each_once(address: SocketAddr, agents: Agents) -> Result<Count, ControlError> {
    let Agents { count: agents, tools_each: tools, connections } = agents;
    let next = Arc::new(AtomicUsize::new(0));
    let ask = move |_: usize| {
        let at = next.fetch_add(1, Ordering::Relaxed);
        (at < agents).then(|| post(&body(at, agents, tools, 0)))
    };
    run(address, connections, ask).await
}

/// As many as are answered until then, agent after agent.
pub async fn until(address: SocketAddr, beat: Beat, agents: Agents, end: Instant) -> Result<Count, ControlError> {
    let Agents { count: agents, tools_each: tools, connections } = agents;
    // Written before the clock runs, so that the client is not the limit.
    let same: Arc<Vec<Vec<u8>>> = Arc::new(
        (0..agents)
            .map(|at| match beat {
                Beat::Light => format!("HEAD /heartbeat/agent-{at} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n")
                    .into_bytes(),
                Beat::Same | Beat::Changed => post(&body(at, agents, tools, 0)),
            })
            .collect(),
    );
    let next = Arc::new(AtomicUsize::new(0));
    let ask = move |_: usize| {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let at = turn % agents;
        if Instant::now() >= end {
            return None;
        }
        match beat {
            Beat::Light | Beat::Same => same.get(at).cloned(),
            Beat::Changed => Some(post(&body(at, agents, tools, turn + 1))),
        }
    };
    run(address, connections, ask).await
}

async fn run(
    address: SocketAddr,
    connections: usize,
    ask: impl Fn(usize) -> Option<Vec<u8>> + Clone + Send + 'static,
) -> Result<Count, ControlError> {
    let mut under_way = JoinSet::new();
    for connection in 0..connections {
        let ask = ask.clone();
        under_way.spawn(async move {
            let mut tcp = TcpStream::connect(address).await?;
            tcp.set_nodelay(true)?;
            let mut count = Count::default();
            let mut buffer = Vec::new();
            while let Some(request) = ask(connection) {
                let began = Instant::now();
                tcp.write_all(&request).await?;
                let is_light = request.starts_with(b"HEAD");
                answered(&mut tcp, &mut buffer, is_light).await?;
                count.times.record(began.elapsed());
                count.done += 1;
            }
            Ok::<_, ControlError>(count)
        });
    }
    let mut all = Count::default();
    while let Some(done) = under_way.join_next().await {
        let count = done??;
        all.done += count.done;
        all.times.add(&count.times);
    }
    Ok(all)
}

async fn answered(tcp: &mut TcpStream, buffer: &mut Vec<u8>, is_light: bool) -> Result<(), ControlError> {
    buffer.clear();
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(tcp, buffer).await?;
    };
    let text = String::from_utf8_lossy(buffer.get(..head).unwrap_or_default()).to_ascii_lowercase();
    let wrong = |what: &str| ControlError::Wrong(format!("{what}: {text}"));
    if !text.starts_with("http/1.1 200") && !text.starts_with("http/1.1 202") {
        return Err(wrong("a heartbeat was not taken"));
    }
    if is_light {
        return Ok(());
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    match length {
        Some(length) => {
            while buffer.len() < head + length {
                more(tcp, buffer).await?;
            }
        }
        None => {
            while !buffer.ends_with(b"0\r\n\r\n") {
                more(tcp, buffer).await?;
            }
        }
    }
    let taken = br#""status":"success""#;
    let is_taken = buffer.windows(taken.len()).any(|window| window == taken);
    if is_taken { Ok(()) } else { Err(wrong("a registration was refused")) }
}

async fn more(tcp: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(), ControlError> {
    if tcp.read_buf(buffer).await? == 0 || buffer.len() > ANSWER_BYTES_MAX {
        return Err(ControlError::Wrong("the registry broke off".to_owned()));
    }
    Ok(())
}

fn post(body: &str) -> Vec<u8> {
    let head = "POST /heartbeat HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: */*";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The first tool depends on three of the agents that follow.
fn body(at: usize, agents: usize, tools: usize, edition: usize) -> String {
    let capability = |agent: usize, tool: usize| format!("capability-{agent}-{tool}");
    let tool = |number: usize| {
        let needs: Vec<_> =
            (1..4).map(|step| serde_json::json!({"capability": capability((at + step) % agents, 0)})).collect();
        serde_json::json!({
            "function_name": format!("tool_{number}"), "capability": capability(at, number), "version": "1.0.0", "tags": ["load"],
            "dependencies": if number == 0 { needs } else { Vec::new() },
            "inputSchema": {"type": "object", "properties": {"name": {"type": "string"}}},
            "kwargs": {"timeout": 20, "function_name": format!("tool_{number}")},
        })
    };
    serde_json::json!({
        "agent_id": format!("agent-{at}"), "name": format!("agent-{at}"), "agent_type": "mcp_agent", "version": "1.0.0",
        "http_host": "127.0.0.1", "http_port": 20_000 + at, "namespace": "default", "status": "healthy", "runtime": "python",
        "description": format!("edition {edition}"), "tools": (0..tools).map(tool).collect::<Vec<_>>(),
    })
    .to_string()
}
