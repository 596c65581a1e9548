//! A line to one target, in the era it speaks: requests, notices, answers, and the stream it speaks on by itself.
//!
//! In: who the client is, and what it says. Out: what the target says.
//! Source: 2025-11-25 `basic/lifecycle` and `basic/transports`; 2026-07-28 `basic/index` and `basic/transports/streamable-http`.
//! Invariant: ids on a line are our own, so that two clients whose ids are equal can share it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use outrigger_model::name::AgentName;
use outrigger_model::revision::{Era, Revision};
use outrigger_proxy_core::mcp::headers;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::message::{Message, Outcome};
use super::object::{Object, Raw, raw};
use super::pauses::Pauses;
use super::pipe::{Ask, PipeError, Pipes, Reply};

pub const META: &str = "_meta";
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub const META_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// How often a stream that broke off is taken up again for one call.
const RESUMES_MAX: u32 = 16;
/// Longest wait before that, whatever the server says.
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Who speaks to a target.
#[derive(Debug, Clone)]
pub struct Identity {
    pub info: Raw,
    pub capabilities: Raw,
}

/// An open line.
pub struct Line {
    pub agent: AgentName,
    pub era: Era,
    pub revision: String,
    session: Option<String>,
    /// The target has answered our `initialize`; before that a legacy server expects no revision.
    opened: bool,
    identity: Identity,
    pipes: Pipes,
    numbers: AtomicU64,
    /// The target does not know our session any more.
    lost: AtomicBool,
    ear: OnceLock<AbortOnDropHandle<()>>,
}

/// Why a target did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("the agent cannot be reached")]
    Pipe(#[from] PipeError),
    #[error("the agent refuses")]
    Refused { status: StatusCode, error: Raw },
    #[error("the agent answers with HTTP {0}")]
    Status(StatusCode),
    #[error("the agent has lost its session with us, and what it held")]
    SessionLost,
    #[error("the call broke off before its answer came")]
    NoAnswer,
    #[error("the agent does not answer in time")]
    Late,
    #[error("the agent was never reached")]
    Unknown,
}

/// One request that is being answered.
pub struct Exchange<'a> {
    line: &'a Line,
    pub id: Raw,
    pub reply: Reply,
    resumes: u32,
}

impl Identity {
    /// Ourselves, with no abilities of a client.
    pub fn own() -> Self {
        let info = Object::default().with("name", &"outrigger").with("version", &env!("CARGO_PKG_VERSION"));
        Self { info: info.raw(), capabilities: Object::default().raw() }
    }

    /// Ourselves when we read lists: some servers show tools that ask the client only to clients that can be asked. Calls are never made
    /// under it.
    pub fn reader() -> Self {
        let none = Object::default();
        let all = Object::default().with("sampling", &none).with("elicitation", &none).with("roots", &none);
        Self { capabilities: all.raw(), ..Self::own() }
    }
}

impl Line {
    fn new(pipes: &Pipes, agent: &AgentName, identity: &Identity, era: Era, revision: String) -> Self {
        Self {
            agent: agent.clone(),
            era,
            revision,
            session: None,
            opened: era == Era::Modern,
            identity: identity.clone(),
            pipes: pipes.clone(),
            numbers: AtomicU64::new(1),
            lost: AtomicBool::new(false),
            ear: OnceLock::new(),
        }
    }

    /// A line of the modern era: nothing has to be opened.
    pub fn modern(pipes: &Pipes, agent: &AgentName, identity: &Identity, revision: &str) -> Self {
        Self::new(pipes, agent, identity, Era::Modern, revision.to_owned())
    }

    /// Asks a target for `server/discover`; none if it does not know it.
    pub async fn discover(
        pipes: &Pipes,
        agent: &AgentName,
        identity: &Identity,
    ) -> Result<Option<(Self, Object)>, LineError> {
        let line = Self::modern(pipes, agent, identity, &Revision::V2026_07_28.to_string());
        let found = match line.ask("server/discover", Object::default()).await {
            Ok(found) => found,
            Err(LineError::Refused { .. } | LineError::Status(_) | LineError::NoAnswer) => return Ok(None),
            Err(error) => return Err(error),
        };
        let versions: Vec<String> =
            found.items("supportedVersions").iter().filter_map(|raw| super::object::as_text(raw)).collect();
        Ok(versions.contains(&line.revision).then_some((line, found)))
    }

    /// Opens a session of a legacy target.
    pub async fn initialize(
        pipes: &Pipes,
        agent: &AgentName,
        identity: &Identity,
    ) -> Result<(Self, Object), LineError> {
        let mut line = Self::new(pipes, agent, identity, Era::Legacy, Revision::V2025_11_25.to_string());
        let mut params = Object::default().with("protocolVersion", &line.revision);
        params.set("capabilities", identity.capabilities.clone());
        params.set("clientInfo", identity.info.clone());
        let (session, result) = {
            let mut exchange = line.call("initialize", params, Vec::new()).await?;
            (exchange.reply.session.clone(), exchange.result().await?)
        };
        line.session = session;
        line.opened = true;
        line.revision = result.text("protocolVersion").ok_or(LineError::NoAnswer)?;
        line.tell(&Message::notice("notifications/initialized", None)).await?;
        Ok((line, result))
    }

    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// An id for the next request.
    pub fn next_id(&self) -> Raw {
        raw(&format!("outrigger-{}", self.numbers.fetch_add(1, Ordering::Relaxed)))
    }

    /// Sends a request; its answer, and what comes before it, is read from the result.
    pub async fn call(
        &self,
        method: &str,
        params: Object,
        more: Vec<(String, String)>,
    ) -> Result<Exchange<'_>, LineError> {
        self.call_as(self.next_id(), method, params, more).await
    }

    /// The same, under an id that is known before: the answer may begin only when all is done.
    pub async fn call_as(
        &self,
        id: Raw,
        method: &str,
        params: Object,
        more: Vec<(String, String)>,
    ) -> Result<Exchange<'_>, LineError> {
        let params = if self.era == Era::Modern { self.signed(params) } else { params };
        let mut headers = self.headers();
        if self.era == Era::Modern {
            headers.push((headers::METHOD.to_owned(), method.to_owned()));
            if let Some(name) = name_of(method, &params) {
                headers.push((headers::NAME.to_owned(), header_text(&name)));
            }
        }
        headers.extend(more);
        let bare = params.is_empty() && method == "ping";
        let message =
            Message::Request { id: id.clone(), method: method.to_owned(), params: (!bare).then(|| params.raw()) };
        let reply = self.send(Method::POST, headers, message.write()).await?;
        if reply.status == StatusCode::NOT_FOUND && self.session.is_some() {
            self.lost.store(true, Ordering::Relaxed);
            return Err(LineError::SessionLost);
        }
        Ok(Exchange { line: self, id, reply, resumes: 0 })
    }

    /// Sends a request and waits for its result.
    pub async fn ask(&self, method: &str, params: Object) -> Result<Object, LineError> {
        self.call(method, params, Vec::new()).await?.result().await
    }

    /// Sends a notice or an answer.
    pub async fn tell(&self, message: &Message) -> Result<(), LineError> {
        let mut headers = self.headers();
        if let (Era::Modern, Message::Notice { method, .. }) = (self.era, message) {
            headers.push((headers::METHOD.to_owned(), method.clone()));
        }
        let reply = self.send(Method::POST, headers, message.write()).await?;
        if reply.status.is_success() { Ok(()) } else { Err(LineError::Status(reply.status)) }
    }

    /// The stream on which a legacy target speaks by itself, from behind the last event heard if there is one.
    pub async fn listen(&self, last: Option<String>) -> Result<Reply, LineError> {
        let mut all = self.headers();
        all.extend(last.map(|last| (headers::LAST_EVENT_ID.to_owned(), last)));
        let reply = self.send(Method::GET, all, String::new()).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(LineError::Status(reply.status)) }
    }

    /// Listens as long as the line lives, on one stream after the other, and hands on what is said.
    pub fn listen_to(self: &std::sync::Arc<Self>, inbox: mpsc::Sender<(AgentName, Message)>) {
        let line = std::sync::Arc::downgrade(self);
        let agent = self.agent.clone();
        let ear = tokio::spawn(async move {
            let (mut pauses, mut last) = (Pauses::default(), None);
            loop {
                let begun = tokio::time::Instant::now();
                let opened = match line.upgrade() {
                    Some(line) if !line.is_lost() => line.listen(last.clone()).await,
                    Some(_) | None => return,
                };
                match opened {
                    Ok(mut reply) => {
                        while let Ok(Some(message)) = reply.next().await {
                            if inbox.send((agent.clone(), message)).await.is_err() {
                                return;
                            }
                        }
                        last = reply.events.and_then(|events| events.last_id).or(last);
                    }
                    // Who offers no stream of its own says nothing on it, and a session that is gone has none.
                    Err(LineError::Status(status)) if status.is_client_error() => return,
                    Err(_) => {}
                }
                pauses.after(begun.elapsed()).await;
            }
        });
        let _ = self.ear.set(AbortOnDropHandle::new(ear));
    }

    /// Ends the session, if there is one. Nothing waits for its success.
    pub async fn end(&self) {
        if self.session.is_some() && !self.is_lost() {
            let _ = self.send(Method::DELETE, self.headers(), String::new()).await;
        }
    }

    async fn send(&self, method: Method, headers: Vec<(String, String)>, body: String) -> Result<Reply, LineError> {
        Ok(self.pipes.ask(Ask { method, agent: self.agent.as_str(), headers, body }).await?)
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut all = Vec::with_capacity(4);
        if self.opened {
            all.push((headers::PROTOCOL_VERSION.to_owned(), self.revision.clone()));
        }
        all.extend(self.session.iter().map(|id| (headers::SESSION_ID.to_owned(), id.clone())));
        all
    }

    /// A modern request says who asks; what the client said itself stands.
    fn signed(&self, mut params: Object) -> Object {
        let mut meta = params.object(META).unwrap_or_default();
        let own = [
            (META_VERSION, raw(&self.revision)),
            (META_CLIENT, self.identity.info.clone()),
            (META_CAPABILITIES, self.identity.capabilities.clone()),
        ];
        for (key, value) in own {
            if meta.get(key).is_none() {
                meta.set(key, value);
            }
        }
        params.set(META, meta.raw());
        params
    }
}

impl Exchange<'_> {
    /// The next message of the answer; none where it ends without one.
    pub async fn next(&mut self) -> Result<Option<Message>, LineError> {
        loop {
            match self.reply.next().await {
                Ok(Some(message)) => return Ok(Some(message)),
                Ok(None) | Err(PipeError::Broken(_)) if self.can_resume() => self.resume().await?,
                Ok(None) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Steps over everything but the answer.
    pub async fn result(&mut self) -> Result<Object, LineError> {
        let status = self.reply.status;
        while let Some(message) = self.next().await? {
            match message {
                Message::Answer { id, outcome } if self.is_mine(id.as_deref()) => {
                    return match outcome {
                        Outcome::Result(result) => Object::read(&result).ok_or(LineError::NoAnswer),
                        Outcome::Error(error) => Err(LineError::Refused { status, error }),
                    };
                }
                Message::Request { id, .. } => {
                    let no = Message::error(Some(id), super::message::METHOD_NOT_FOUND, "nobody here can answer this");
                    self.line.tell(&no).await?;
                }
                Message::Answer { .. } | Message::Notice { .. } => {}
            }
        }
        Err(if status.is_success() { LineError::NoAnswer } else { LineError::Status(status) })
    }

    /// An error may lack the id.
    pub fn is_mine(&self, id: Option<&RawValue>) -> bool {
        id.is_none_or(|id| id.get() == self.id.get())
    }

    /// 2025-11-25 `basic/transports`: a server may close a stream and let the client come back for the rest of it.
    fn can_resume(&self) -> bool {
        let told = self.reply.events.as_ref().is_some_and(|events| events.last_id.is_some());
        self.line.era == Era::Legacy && told && self.resumes < RESUMES_MAX
    }

    async fn resume(&mut self) -> Result<(), LineError> {
        let Some(events) = &self.reply.events else { return Err(LineError::NoAnswer) };
        let Some(last) = events.last_id.clone() else { return Err(LineError::NoAnswer) };
        self.resumes += 1;
        let pause = Duration::from_millis(events.retry.unwrap_or(100)).min(RETRY_MAX);
        tokio::time::sleep(pause).await;
        let mut headers = self.line.headers();
        headers.push((headers::LAST_EVENT_ID.to_owned(), last));
        let reply = self.line.send(Method::GET, headers, String::new()).await?;
        if !reply.status.is_success() {
            return Err(LineError::NoAnswer);
        }
        self.reply = reply;
        Ok(())
    }
}

/// What `Mcp-Name` says of a request: 2026-07-28 `basic/transports/streamable-http`, and the extension for tasks.
pub fn name_of(method: &str, params: &Object) -> Option<String> {
    match method {
        "tools/call" | "prompts/get" => params.text("name"),
        "resources/read" => params.text("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => params.text("taskId"),
        _ => None,
    }
}

/// A text as a header carries it: as it is where that is safe, else in base64.
pub fn header_text(text: &str) -> String {
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    if plain && !text.starts_with("=?base64?") {
        return text.to_owned();
    }
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::from("=?base64?");
    for group in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            let letter = LETTERS.get(((bits >> (18 - 6 * place)) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    out.push_str("?=");
    out
}
