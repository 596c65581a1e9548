//! Parts that tests of several rooms need: a scripted agent, settings written as people write them, waiting.
//!
//! Never here: anything but tests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger_config::load_str;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::settings::AgentSettings;
use crate::config::{Settings, Written};
use crate::identity::link::Link;

/// A request as a scripted agent sees it.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The JSON-RPC method, or the HTTP method where there is no body.
    pub fn says(&self) -> &str {
        self.body["method"].as_str().unwrap_or(&self.method)
    }
}

/// An HTTP server that answers each request as a test says, with the bytes of a whole response; nothing is silence.
pub struct Scripted {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    tasks: JoinSet<()>,
}

type Script = Arc<dyn Fn(&Heard) -> Option<String> + Send + Sync>;

impl Scripted {
    pub async fn agent(script: impl Fn(&Heard) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), script).await
    }

    pub async fn at(address: SocketAddr, script: impl Fn(&Heard) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let script: Script = Arc::new(script);
        let mut tasks = JoinSet::new();
        let log = Arc::clone(&heard);
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                calls.spawn(answer(stream, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { address, heard, tasks }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// What was said, in order.
    pub fn said(&self) -> Vec<String> {
        self.heard().iter().map(|heard| heard.says().to_owned()).collect()
    }

    /// Closes its port.
    pub async fn stop(mut self) -> SocketAddr {
        self.tasks.shutdown().await;
        self.address
    }
}

async fn answer(mut stream: TcpStream, script: Script, log: Arc<Mutex<Vec<Heard>>>) {
    let Some(heard) = hear(&mut stream).await else { return };
    log.lock().unwrap().push(heard.clone());
    match script(&heard) {
        Some(response) => {
            let _ = stream.write_all(response.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        None => std::future::pending().await,
    }
}

async fn hear(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let method = lines.next()?.split(' ').next()?.to_owned();
            let header =
                |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
            let headers: Vec<_> = lines.filter_map(header).collect();
            let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
            if body.len() >= length.parse().ok()? {
                let body = serde_json::from_str(body).unwrap_or_default();
                return Some(Heard { method, headers, body });
            }
        }
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
            _ => return None,
        }
    }
}

/// A response with a length.
pub fn respond(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

/// A JSON-RPC result to what was heard.
pub fn result(heard: &Heard, headers: &str, result: &Value) -> String {
    let body = serde_json::json!({ "jsonrpc": "2.0", "id": heard.body["id"], "result": result }).to_string();
    respond(200, &format!("Content-Type: application/json\r\n{headers}"), &body)
}

/// A connection: our end, and the other.
pub async fn link() -> (Link, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (ours, _) = listener.accept().await.unwrap();
    (Link::Connected(ours), other)
}

/// Agents as they stand in a `proxy.yaml`.
pub fn agents(yaml: &str) -> Vec<AgentSettings> {
    settings(yaml).agents
}

/// What a `proxy.yaml` says.
pub fn settings(yaml: &str) -> Settings {
    let environment = outrigger_config::Environment::default();
    let file = load_str(yaml, &environment).unwrap();
    let written = Written { file, folder: "".into(), host_name: "here".into(), redis_url: None };
    Settings::try_from(written).unwrap()
}

/// Waits until a watched value is as wanted.
pub async fn until<T: Clone + std::fmt::Debug>(watched: &mut watch::Receiver<T>, wanted: impl FnMut(&T) -> bool) -> T {
    let found = timeout(Duration::from_secs(20), watched.wait_for(wanted)).await;
    let found = found.map(|found| found.unwrap().clone());
    found.unwrap_or_else(|_| panic!("it stayed {:?}", watched.borrow()))
}
