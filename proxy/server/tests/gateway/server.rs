//! An agent with sessions: knows those that it opened, counts what it runs, and remembers what it was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::agent::{Agent, Conversation, Request};

/// How it behaves.
#[derive(Clone, Copy)]
pub struct Manner {
    /// What it answers to a session that it does not know.
    pub stranger: u16,
    pub revision: &'static str,
    /// Answers with streams of events.
    pub streams: bool,
}

pub struct Server {
    agent: Agent,
    state: Arc<State>,
}

struct State {
    name: &'static str,
    manner: Manner,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    opened: usize,
    sessions: BTreeSet<String>,
    /// By the id of the request.
    runs: BTreeMap<String, usize>,
    requests: Vec<Request>,
}

impl Default for Manner {
    fn default() -> Self {
        Self { stranger: 404, revision: "2025-11-25", streams: false }
    }
}

impl Server {
    pub async fn start(name: &'static str, manner: Manner) -> Self {
        let state = Arc::new(State { name, manner, inside: Mutex::default() });
        let served = Arc::clone(&state);
        let agent = Agent::start(move |mut conversation| {
            let state = Arc::clone(&served);
            async move {
                while let Some(request) = conversation.request().await {
                    if !state.answer(&mut conversation, &request).await {
                        return;
                    }
                }
            }
        })
        .await;
        Self { agent, state }
    }

    pub fn address(&self) -> SocketAddr {
        self.agent.address
    }

    /// Forgets all its sessions, as a process does that starts again.
    pub fn forget(&self) {
        self.state.inside().sessions.clear();
    }

    /// How often it ran each request.
    pub fn runs(&self) -> BTreeMap<String, usize> {
        self.state.inside().runs.clone()
    }

    /// How many sessions it has open.
    pub fn sessions(&self) -> usize {
        self.state.inside().sessions.len()
    }

    /// How many sessions it ever opened.
    pub fn opened(&self) -> usize {
        self.state.inside().opened
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.inside().requests.clone()
    }
}

impl State {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("a lock")
    }

    /// Whether the connection goes on.
    async fn answer(&self, conversation: &mut Conversation, request: &Request) -> bool {
        let answer = self.answer_to(request);
        let goes_on = answer.is_some();
        conversation.send(answer.unwrap_or_default().as_bytes()).await;
        goes_on
    }

    /// None where it hangs up.
    fn answer_to(&self, request: &Request) -> Option<String> {
        let mut inside = self.inside();
        inside.requests.push(request.clone());
        let message: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let id = message["id"].clone();
        let Some(session) = field(&request.head, "mcp-session-id") else {
            inside.opened += 1;
            let session = format!("{}-{}", self.name, inside.opened);
            inside.sessions.insert(session.clone());
            let result = json!({"protocolVersion": self.manner.revision, "capabilities": {}});
            return Some(self.result(&id, &result, &format!("Mcp-Session-Id: {session}\r\n")));
        };
        if !inside.sessions.contains(&session) {
            let text = format!("unknown to {}", self.name);
            return Some(plain(self.manner.stranger, &text));
        }
        if request.head.starts_with("DELETE") {
            inside.sessions.remove(&session);
            return Some(plain(200, ""));
        }
        if request.head.starts_with("GET") {
            let event = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"from": self.name}});
            return Some(stream(&event.to_string(), ""));
        }
        let (method, tool) = (message["method"].as_str(), message["params"]["name"].as_str());
        if method.is_none() || id.is_null() {
            return Some(plain(202, ""));
        }
        *inside.runs.entry(id.to_string()).or_default() += 1;
        match tool {
            Some("hang-up") => None,
            Some("ask") => Some(stream(r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#, "")),
            _ => Some(self.result(&id, &json!({"from": self.name, "session": session}), "")),
        }
    }

    fn result(&self, id: &Value, result: &Value, fields: &str) -> String {
        let text = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
        if self.manner.streams {
            return stream(&text, fields);
        }
        let length = text.len();
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{fields}Content-Length: {length}\r\n\r\n{text}")
    }
}

/// The value of a field in a head.
pub fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn plain(status: u16, text: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

fn stream(event: &str, fields: &str) -> String {
    let event = format!("data: \n\ndata: {event}\n\n");
    let length = event.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{fields}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{event}\r\n0\r\n\r\n"
    )
}
