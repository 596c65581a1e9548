//! Byte identity: what an agent is sent, and what its caller is answered, are the bytes of the other end.
//!
//! Each pair of `tests/corpus/good` goes through two proxies, in plain text and in mutual TLS: the request to an agent that records it and
//! answers with the other file. Held are the bytes of both bodies with their framing, and every header line but those of one connection,
//! `Host` and what stands for it, in order and spelling.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::agent::Agent;
use crate::mesh::{Authority, Proxy, Scene};

const PATIENCE: Duration = Duration::from_secs(10);

/// Fields of one connection, and those that a proxy must write anew.
const NOT_HELD: &[&str] = &["host", "x-forwarded-host", "connection", "keep-alive", "te", "expect", "upgrade"];

/// A message as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    head: Vec<u8>,
    body: Vec<u8>,
}

/// An agent that answers what it is told to and hands over what it was asked.
struct Recorder {
    agent: Agent,
    next: Arc<Mutex<Option<(Message, usize)>>>,
    heard: mpsc::Receiver<Message>,
}

impl Message {
    fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        Self { head: bytes[..end].to_vec(), body: bytes[end..].to_vec() }
    }

    /// The lines that must arrive, and the first without the path, which is the agent's own.
    fn held(&self) -> Vec<Vec<u8>> {
        let text = self.head.strip_suffix(b"\r\n\r\n").expect("an end");
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for line in text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
            if lines.is_empty() || !NOT_HELD.iter().any(|not| not.as_bytes() == name) {
                lines.push(line.trim_ascii_end().to_vec());
            }
        }
        lines
    }

    fn as_agents_see_it(&self) -> Vec<Vec<u8>> {
        let mut held = self.held();
        held[0] = String::from_utf8_lossy(&held[0]).replacen(" /weather/mcp", " /mcp", 1).into_bytes();
        held
    }
}

/// A head, and so many bytes behind it; all that came where the connection ended before.
async fn read(stream: &mut TcpStream, body_length: usize) -> Option<Message> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 64 * 1024]);
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if end.is_some_and(|end| bytes.len() >= end + 4 + body_length) {
            return Some(Message::of(&bytes));
        }
        match tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await {
            Ok(Ok(count @ 1..)) => bytes.extend_from_slice(&buffer[..count]),
            _ => return end.map(|_| Message::of(&bytes)),
        }
    }
}

impl Recorder {
    async fn start() -> Self {
        let next = Arc::new(Mutex::new(None::<(Message, usize)>));
        let (tell, heard) = mpsc::channel(1);
        let told = Arc::clone(&next);
        let agent = Agent::start(move |mut conversation| {
            let (next, tell) = (Arc::clone(&told), tell.clone());
            async move {
                loop {
                    // How long the request is, is known once it was put here, which is before it is sent.
                    if conversation.stream.readable().await.is_err() {
                        return;
                    }
                    let expected = next.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let Some((answer, body_length)) = expected else { return };
                    let Some(request) = read(&mut conversation.stream, body_length).await else { return };
                    drop(tell.send(request).await);
                    conversation.send(&[answer.head.as_slice(), &answer.body].concat()).await;
                    if String::from_utf8_lossy(&answer.head).contains("Connection: close") || !is_framed(&answer) {
                        return;
                    }
                }
            }
        });
        Self { agent: agent.await, next, heard }
    }

    /// Sends a request through `proxy` and compares both ends.
    async fn compare(&mut self, proxy: &Proxy, request: &Message, answer: &Message) -> Result<(), String> {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some((answer.clone(), request.body.len()));
        let mut stream = TcpStream::connect(proxy.outbound).await.expect("connect");
        stream.write_all(&[request.head.as_slice(), &request.body].concat()).await.expect("write");
        let answered = read(&mut stream, answer.body.len()).await.ok_or("no answer")?;
        let asked = self.heard.try_recv().map_err(|_| format!("nothing came, but {answered:?} was answered"))?;
        let same = |what: &str, out: &[u8], went_in: &[u8]| match out == went_in {
            true => Ok(()),
            false => Err(format!("{what}:\n{}\n  instead of\n{}", out.escape_ascii(), went_in.escape_ascii())),
        };
        same("head asked", &asked.held().join(&b'\n'), &request.as_agents_see_it().join(&b'\n'))?;
        same("body asked", &asked.body, &request.body)?;
        same("head answered", &answered.held().join(&b'\n'), &answer.held().join(&b'\n'))?;
        same("body answered", &answered.body, &answer.body)?;
        if !is_framed(answer) {
            let more = tokio::time::timeout(PATIENCE, stream.read(&mut [0])).await;
            return if matches!(more, Ok(Ok(0))) { Ok(()) } else { Err("it did not end".to_owned()) };
        }
        Ok(())
    }
}

fn is_framed(answer: &Message) -> bool {
    let head = String::from_utf8_lossy(&answer.head);
    head.contains("Content-Length: ") || head.contains("Transfer-Encoding: ") || head.starts_with("HTTP/1.1 204")
}

fn corpus() -> Vec<(String, Message, Message)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/good");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
    };
    let files = entries(&folder).into_iter().flat_map(|group| entries(&group));
    let mut pairs: Vec<_> = files
        .filter_map(|path| {
            let name = path.to_str()?.strip_suffix(".request.http")?.to_owned();
            let message = |ending: &str| Message::of(&std::fs::read(format!("{name}{ending}")).expect("a file"));
            Some((name.clone(), message(".request.http"), message(".answer.http")))
        })
        .collect();
    pairs.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    pairs
}

/// The recorder behind two proxies, which show each other certificates or not.
async fn two_proxies(authority: Option<&Authority>) -> (Recorder, Proxy, Proxy) {
    let recorder = Recorder::start().await;
    let material = |id: &str| authority.map(|authority| authority.issue(&format!("spiffe://mesh.local/agent/{id}")));
    let own = Scene::of_own(&[("weather-1", recorder.agent.address)]);
    let inner = Scene { material: material("weather"), ..own }.start();
    let id = authority.map(|_| "spiffe://mesh.local/agent/weather".parse().expect("an id"));
    let peers = Scene::of_peers(&[("weather-1", inner.inbound, id)]);
    let outer = Scene { material: material("planner"), ..peers }.start();
    (recorder, inner, outer)
}

async fn all_pass_unchanged(authority: Option<&Authority>) {
    let pairs = corpus();
    assert!(pairs.len() >= 150, "the corpus shrank");
    let (mut recorder, _inner, outer) = two_proxies(authority).await;
    let mut wrong = Vec::new();
    for (name, request, answer) in &pairs {
        if let Err(what) = recorder.compare(&outer, request, answer).await {
            wrong.push(format!("{name}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_comes_out_of_two_proxies_is_what_went_in() {
    all_pass_unchanged(None).await;
}

#[tokio::test]
async fn what_comes_out_of_two_proxies_is_what_went_in_also_through_tls() {
    all_pass_unchanged(Some(&Authority::new())).await;
}

#[tokio::test]
async fn large_bodies_come_out_as_they_went_in() {
    let (mut recorder, _inner, outer) = two_proxies(Some(&Authority::new())).await;
    // Every byte that a JSON string may hold as it is, and letters of every length in UTF-8.
    let letters: String =
        ('\u{20}'..='\u{2ff}').chain('\u{ffe0}'..='\u{10040}').filter(|c| !"\"\\".contains(*c)).collect();
    for size in [65_535, 65_536, 1_000_000, 8_000_000] {
        let text: String = letters.chars().cycle().take(size / 2).collect();
        let sent = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"x","arguments":{{"x":"{text}"}}}}}}"#
        );
        let told = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"x":"{text}","n":1.10}}}}"#);
        let fields = "Host: localhost\r\nContent-Type: application/json\r\n";
        let (head, body) = chunked(&sent, 10_007);
        let request = format!("POST /weather/mcp HTTP/1.1\r\n{fields}{head}{body}");
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{told}",
            told.len()
        );
        let compared =
            recorder.compare(&outer, &Message::of(request.as_bytes()), &Message::of(answer.as_bytes())).await;
        assert!(compared.is_ok(), "{size}: {}", compared.unwrap_err().chars().take(500).collect::<String>());
    }
}

fn chunked(text: &str, size: usize) -> (&'static str, String) {
    let mut chunks = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (1..=rest.len().min(size)).rev().find(|end| rest.is_char_boundary(*end)).expect("a letter");
        let (part, behind) = rest.split_at(end);
        chunks.push_str(&format!("{:x}\r\n{part}\r\n", part.len()));
        rest = behind;
    }
    ("Transfer-Encoding: chunked\r\n\r\n", format!("{chunks}0\r\n\r\n"))
}
