//! Clients that call without pause while something is done to the mesh.
//!
//! In: where to call, and how. Out: how many calls were answered, and every one that was not, in words.
//! Never here: what is done to the mesh. Nothing is sent again: a call that fails has failed.
//! Invariant: every client ends when the load does.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::http::{Method, StatusCode};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::http::{Kept, Reply};
use crate::mcp::{Modern, Session, text_of};

/// Failures that are kept in words.
const TEXTS_MAX: usize = 8;
/// Between two calls of one client, so that clients leave the machine to what they load.
const PAUSE: Duration = Duration::from_millis(2);

/// How a client calls.
#[derive(Clone)]
pub enum Manner {
    /// Without a session, each call on a connection of its own.
    New,
    /// Without a session, on one connection for as long as it is kept.
    Kept,
    /// Calls a tool in one session, each call on a connection of its own; the number that it answers must grow by one.
    InSession { tool: &'static str, session: Session },
    /// The same on one connection.
    InSessionKept { tool: &'static str, session: Session },
    /// Opens a session and listens to its stream until that ends, again and again. Streams must end as streams do.
    Listening,
}

/// Clients at work.
pub struct Load {
    clients: JoinSet<Seen>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    answered: AtomicU64,
    streams_ended: AtomicU64,
}

/// What became of the calls.
#[derive(Debug, Default)]
pub struct Seen {
    pub answered: u64,
    pub failed: u64,
    /// Streams that ended as streams do.
    pub streams_ended: u64,
    /// The longest that a call took.
    pub longest: Duration,
    texts: Vec<String>,
}

impl Load {
    /// One client for each manner.
    pub fn start(url: &str, manners: Vec<Manner>) -> Self {
        let shared = Arc::<Shared>::default();
        let mut clients = JoinSet::new();
        for manner in manners {
            let client = Client { url: url.to_owned(), manner, shared: Arc::clone(&shared), seen: Seen::default() };
            clients.spawn(client.work());
        }
        Self { clients, shared }
    }

    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    pub fn streams_ended(&self) -> u64 {
        self.shared.streams_ended.load(Ordering::Relaxed)
    }

    /// Ends every client.
    pub async fn stop(mut self) -> Result<Seen> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let mut sum = Seen::default();
        while let Some(seen) = self.clients.join_next().await {
            sum.add(seen?);
        }
        Ok(sum)
    }
}

struct Client {
    url: String,
    manner: Manner,
    shared: Arc<Shared>,
    seen: Seen,
}

impl Client {
    async fn work(mut self) -> Seen {
        let mut kept = Kept::default();
        let mut last = 0;
        while !self.is_over() {
            let asked = Instant::now();
            let done = match &self.manner {
                Manner::Listening => self.listen().await,
                Manner::New => call(&self.url, &mut Kept::default()).await,
                Manner::Kept => call(&self.url, &mut kept).await,
                Manner::InSession { tool, session } => count(session, tool, &mut Kept::default(), &mut last).await,
                Manner::InSessionKept { tool, session } => count(session, tool, &mut kept, &mut last).await,
            };
            self.note(done, asked.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
        self.seen
    }

    fn is_over(&self) -> bool {
        self.shared.is_over.load(Ordering::Relaxed)
    }

    fn note(&mut self, done: Result<Done>, took: Duration) {
        match done {
            Ok(Done::Answered) => {
                self.seen.answered += 1;
                self.seen.longest = self.seen.longest.max(took);
                self.shared.answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Done::StreamEnded) => {
                self.seen.streams_ended += 1;
                self.shared.streams_ended.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Done::NotYet) => {}
            Err(error) => {
                self.seen.failed += 1;
                if self.seen.texts.len() < TEXTS_MAX {
                    self.seen.texts.push(format!("after {took:?}: {error:#}"));
                }
            }
        }
    }

    async fn listen(&self) -> Result<Done> {
        // Whose replica is about to leave is told to open a session anew, and does.
        let Ok(session) = Session::open(&self.url).await else { return Ok(Done::NotYet) };
        let mut stream = session.listen().await?;
        match stream.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE => return Ok(Done::NotYet),
            other => bail!("a stream is answered {other}"),
        }
        while !self.is_over() {
            let Ok(piece) = tokio::time::timeout(Duration::from_millis(100), stream.next()).await else { continue };
            if piece.context("a stream broke")?.is_none() {
                return Ok(Done::StreamEnded);
            }
        }
        Ok(Done::NotYet)
    }
}

enum Done {
    Answered,
    StreamEnded,
    /// Neither a call nor the end of a stream.
    NotYet,
}

async fn call(url: &str, on: &mut Kept) -> Result<Done> {
    let params = json!({"name": "act", "arguments": {}});
    let call = Modern { method: "tools/call", name: "act", params, capabilities: json!({}) };
    let reply = on.send(Method::POST, url, &call.headers(), call.body()).await?;
    ensure!(reply.status == StatusCode::OK, "{} {}", reply.status, reply.body);
    Ok(Done::Answered)
}

/// What counts in a session counts every call of it once.
async fn count(session: &Session, tool: &str, on: &mut Kept, last: &mut u64) -> Result<Done> {
    let body = crate::mcp::tool_call(7, tool).to_string();
    let reply: Reply = on.send(Method::POST, &session.url, &session.headers(), body).await?;
    let text = text_of(&reply)?;
    let number = text.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok());
    let number = number.with_context(|| format!("no number in `{text}`"))?;
    ensure!(*last == 0 || number == *last + 1, "`{text}` follows {last}");
    *last = number;
    Ok(Done::Answered)
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.streams_ended += other.streams_ended;
        self.longest = self.longest.max(other.longest);
        self.texts.extend(other.texts);
        self.texts.truncate(TEXTS_MAX);
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, failed, streams_ended, longest, texts } = self;
        write!(f, "{answered} answered, {failed} failed, {streams_ended} streams ended, the longest took {longest:?}")?;
        texts.iter().try_for_each(|text| write!(f, "\n  {text}"))
    }
}
