//! One call of a client, carried to its target and back, whatever eras the two are of.
//!
//! In: a request with its target. Out: what the target says, as the client's era has it.
//! Invariant: an error of one target is the error of that one call; an answer is told once.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::aim::{Aim, param_headers};
use super::line::{Exchange, Identity, Line, LineError, META, META_LEVEL};
use super::message::{INTERNAL_ERROR, METHOD_NOT_FOUND, Message, Outcome, code_of};
use super::object::{Object, Raw, raw};
use super::outlet::{Gone, Outlet};
use super::session::{Asked, Call, Session};
use super::state::Catalog;
use super::view::View;

/// Most rounds in which a target asks for more before it answers.
const ROUNDS_MAX: usize = 16;
/// How long a person may take to answer.
const INPUT_TIME: Duration = Duration::from_secs(600);
/// Levels of log messages, from the least to the most severe (2025-11-25 `server/utilities/logging`).
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// What ends a call without an answer of its target.
enum Stop {
    Failed(LineError),
    Gone,
    Cancelled,
}

/// A call is under way for as long as this lives.
struct UnderWay<'a>(&'a Session, Raw);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.finish(&self.1);
    }
}

impl From<LineError> for Stop {
    fn from(error: LineError) -> Self {
        Self::Failed(error)
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Carries a call of a legacy session.
pub async fn of_session(catalog: &Catalog, session: &Arc<Session>, id: Raw, method: &str, aim: Aim, outlet: &Outlet) {
    let agent = aim.agent.clone();
    let carried = carry(catalog, session, &id, method, aim, outlet).await;
    // A client that left hears nothing more.
    let _ = match carried {
        Ok(outcome) => outlet.end(StatusCode::OK, &Message::Answer { id: Some(id), outcome }).await,
        Err(Stop::Failed(error)) => outlet.end(StatusCode::OK, &failure(id, &agent, &error).1).await,
        Err(Stop::Gone | Stop::Cancelled) => Ok(()),
    };
}

async fn carry(
    catalog: &Catalog,
    session: &Arc<Session>,
    id: &Raw,
    method: &str,
    aim: Aim,
    outlet: &Outlet,
) -> Result<Outcome, Stop> {
    let view = catalog.mirror.view();
    let (line, new) = session.lines.line(&view, &aim.agent).await?;
    let Aim { agent, mut params } = aim;
    let headers = prepare(&view, session, &line, new, &mut params).await;
    let cancel = CancellationToken::new();
    let _under_way = UnderWay(session, id.clone());
    for _ in 0..ROUNDS_MAX {
        let own = line.next_id();
        let call = Call { agent: agent.clone(), id: own.clone(), cancel: cancel.clone() };
        if !session.begin(id, call) {
            return Ok(Outcome::Error(error_value(INTERNAL_ERROR, "too many calls of this session are under way")));
        }
        let carried = async {
            let mut exchange = line.call_as(own, method, params.clone(), headers.clone()).await?;
            relay(catalog, session, &line, &mut exchange, outlet).await
        };
        let outcome = tokio::select! {
            outcome = carried => outcome?,
            () = cancel.cancelled() => return Err(Stop::Cancelled),
        };
        let Outcome::Result(result) = &outcome else { return Ok(outcome) };
        let Some(mut result) = Object::read(result) else { return Ok(outcome) };
        catalog.tasks.learn(&agent, &result);
        if line.era == Era::Legacy {
            return Ok(outcome);
        }
        if result.text("resultType").as_deref() != Some("input_required") {
            for modern in ["resultType", "ttlMs", "cacheScope"] {
                result.remove(modern);
            }
            return Ok(Outcome::Result(result.raw()));
        }
        let answered = tokio::select! {
            answered = input(session, &result, outlet) => answered?,
            () = cancel.cancelled() => return Err(Stop::Cancelled),
        };
        match answered {
            Ok(responses) => params.set("inputResponses", responses.raw()),
            Err(error) => return Ok(Outcome::Error(error)),
        }
        match result.remove("requestState") {
            Some(state) => params.set("requestState", state),
            None => drop(params.remove("requestState")),
        }
    }
    Ok(Outcome::Error(error_value(INTERNAL_ERROR, "the agent asks for more input again and again")))
}

/// What the era of the target wants beside the request: headers, and the level of log messages.
async fn prepare(view: &View, session: &Session, line: &Line, new: bool, params: &mut Object) -> Vec<(String, String)> {
    let level = session.level().and_then(|level| Object::read(&level));
    if line.era == Era::Legacy {
        let known = view.targets.get(&line.agent).and_then(|known| known.listing.as_ref());
        let takes = new && known.is_some_and(|listing| listing.has("logging"));
        if let Some(level) = level.filter(|_| takes) {
            // A level that is not taken makes the log louder, and no call worse.
            let _ = line.ask("logging/setLevel", level).await;
        }
        return Vec::new();
    }
    let headers = param_headers(view, &line.agent, params);
    if let Some(level) = level.and_then(|mut level| level.remove("level")) {
        let mut meta = params.object(META).unwrap_or_default();
        meta.set(META_LEVEL, level);
        params.set(META, meta.raw());
    }
    headers
}

/// Passes on what comes before the answer.
async fn relay(
    catalog: &Catalog,
    session: &Session,
    line: &Line,
    exchange: &mut Exchange<'_>,
    outlet: &Outlet,
) -> Result<Outcome, Stop> {
    while let Some(message) = exchange.next().await? {
        match message {
            Message::Answer { id, outcome } if exchange.is_mine(id.as_deref()) => return Ok(outcome),
            Message::Answer { .. } => {}
            message => {
                if let Some(message) = catalog.to_client(session, line, message).await {
                    outlet.event(&message).await?;
                }
            }
        }
    }
    Err(ended(exchange).into())
}

/// Asks the client what a modern target wants to know before it answers.
async fn input(session: &Session, result: &Object, outlet: &Outlet) -> Result<Result<Object, Raw>, Stop> {
    let mut responses = Object::default();
    let wanted = result.object("inputRequests").unwrap_or_default();
    let mut waiting = Vec::new();
    for (key, request) in wanted.members() {
        let Some(mut request) = Object::read(request) else { continue };
        let (sender, receiver) = oneshot::channel();
        let method = request.text("method").unwrap_or_default();
        let Some(message) = session.ask(Asked::Call(sender), method, request.remove("params")) else {
            return Ok(Err(error_value(INTERNAL_ERROR, "too many questions wait for this client")));
        };
        outlet.event(&message).await?;
        waiting.push((key.to_owned(), receiver));
    }
    for (key, receiver) in waiting {
        match tokio::time::timeout(INPUT_TIME, receiver).await {
            Ok(Ok(Outcome::Result(answer))) => responses.set(&key, answer),
            Ok(Ok(Outcome::Error(error))) => return Ok(Err(error)),
            Ok(Err(_)) | Err(_) => return Ok(Err(error_value(INTERNAL_ERROR, "the client gave no answer"))),
        }
    }
    Ok(Ok(responses))
}

/// What a client of the modern era sent beside the message.
pub struct ModernClient {
    pub revision: String,
    /// `Mcp-Param-*`.
    pub headers: Vec<(String, String)>,
}

/// Carries a call of the modern era.
pub async fn of_modern(catalog: &Catalog, client: &ModernClient, id: Raw, method: &str, aim: Aim, outlet: &Outlet) {
    let agent = aim.agent.clone();
    let view = catalog.mirror.view();
    let era = view.targets.get(&agent).and_then(|known| known.listing.as_ref()).map(|listing| listing.era);
    let carried = match era {
        Some(Era::Modern) => to_modern(catalog, client, method, aim, outlet).await,
        Some(Era::Legacy) => {
            to_legacy(catalog, method, aim, outlet).await.map(|(status, outcome)| (status, outcome, None))
        }
        None => Err(Stop::Failed(LineError::Unknown)),
    };
    // A client that left hears nothing more.
    let _ = match carried {
        Ok((status, outcome, later)) => {
            outlet.end_later(status, &Message::Answer { id: Some(id), outcome }, later).await
        }
        Err(Stop::Failed(error)) => {
            let (status, message) = failure(id, &agent, &error);
            outlet.end(status, &message).await
        }
        Err(Stop::Gone | Stop::Cancelled) => Ok(()),
    };
}

async fn to_modern(
    catalog: &Catalog,
    client: &ModernClient,
    method: &str,
    aim: Aim,
    outlet: &Outlet,
) -> Result<(StatusCode, Outcome, Option<String>), Stop> {
    let line = Line::modern(&catalog.pipes, &aim.agent, &Identity::own(), &client.revision);
    let mut exchange = line.call(method, aim.params, client.headers.clone()).await?;
    let status = exchange.reply.status;
    while let Some(message) = exchange.next().await? {
        match message {
            Message::Answer { id, outcome } if exchange.is_mine(id.as_deref()) => {
                if let Outcome::Result(result) = &outcome
                    && let Some(result) = Object::read(result)
                {
                    catalog.tasks.learn(&aim.agent, &result);
                }
                return Ok((status, outcome, exchange.reply.later.take()));
            }
            notice @ Message::Notice { .. } => outlet.event(&notice).await?,
            // The modern era has no requests of servers.
            Message::Answer { .. } | Message::Request { .. } => {}
        }
    }
    Err(ended(&exchange).into())
}

async fn to_legacy(catalog: &Catalog, method: &str, aim: Aim, outlet: &Outlet) -> Result<(StatusCode, Outcome), Stop> {
    let Aim { agent, mut params } = aim;
    let level = stripped(&mut params);
    let first = catalog.shared.line(&catalog.mirror.view(), &agent).await?.0;
    let (mut line, mut again) = (first, true);
    loop {
        let mut exchange = match line.call(method, params.clone(), Vec::new()).await {
            // Nothing ran, and a modern client never saw this session.
            Err(LineError::SessionLost) if std::mem::take(&mut again) => {
                line = catalog.shared.line(&catalog.mirror.view(), &agent).await?.0;
                continue;
            }
            other => other?,
        };
        while let Some(message) = exchange.next().await? {
            match message {
                Message::Answer { id, outcome } if exchange.is_mine(id.as_deref()) => {
                    return Ok(modernized(catalog, &agent, method, outcome));
                }
                Message::Request { id, .. } => catalog.refuse_request(&line, id).await,
                notice @ Message::Notice { .. } if is_wanted(&notice, level.as_deref()) => {
                    outlet.event(&notice).await?;
                }
                Message::Answer { .. } | Message::Notice { .. } => {}
            }
        }
        return Err(ended(&exchange).into());
    }
}

/// Takes out what only the modern era knows; the level of log messages that the client wants.
fn stripped(params: &mut Object) -> Option<String> {
    let mut meta = params.object(META)?;
    let level = meta.text(META_LEVEL);
    let modern: Vec<String> = meta
        .members()
        .filter(|(key, _)| key.starts_with("io.modelcontextprotocol/"))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in modern {
        meta.remove(&key);
    }
    if meta.is_empty() {
        params.remove(META);
    } else {
        params.set(META, meta.raw());
    }
    level
}

/// What a request's own stream may carry in the modern era.
fn is_wanted(notice: &Message, level: Option<&str>) -> bool {
    let Message::Notice { method, params } = notice else { return false };
    match method.as_str() {
        "notifications/progress" => true,
        "notifications/message" => {
            let told = params.as_ref().and_then(|params| Object::read(params)?.text("level"));
            let rank = |level: &str| LEVELS.iter().position(|known| *known == level);
            match (told.as_deref().and_then(rank), level.and_then(rank)) {
                (Some(told), Some(wanted)) => told >= wanted,
                _ => false,
            }
        }
        _ => false,
    }
}

fn modernized(catalog: &Catalog, agent: &AgentName, method: &str, outcome: Outcome) -> (StatusCode, Outcome) {
    match outcome {
        Outcome::Result(result) => {
            let Some(result) = Object::read(&result) else { return (StatusCode::OK, Outcome::Result(result)) };
            catalog.tasks.learn(agent, &result);
            let mut result = result.with("resultType", &"complete");
            if method == "resources/read" {
                // A legacy server says nothing about how long it may be kept, and for whom.
                result = result.with("ttlMs", &0).with("cacheScope", &"private");
            }
            (StatusCode::OK, Outcome::Result(result.raw()))
        }
        Outcome::Error(error) => {
            let unknown = code_of(&error) == Some(METHOD_NOT_FOUND);
            (if unknown { StatusCode::NOT_FOUND } else { StatusCode::OK }, Outcome::Error(error))
        }
    }
}

fn ended(exchange: &Exchange<'_>) -> LineError {
    let status = exchange.reply.status;
    if status.is_success() { LineError::NoAnswer } else { LineError::Status(status) }
}

fn error_value(code: i32, text: &str) -> Raw {
    Object::default().with("code", &code).with("message", &text).raw()
}

/// How a failure of one target is told to the one caller that it concerns.
pub fn failure(id: Raw, agent: &AgentName, error: &LineError) -> (StatusCode, Message) {
    let (status, reason, hint) = match error {
        LineError::Refused { status, error } => {
            return (*status, Message::Answer { id: Some(id), outcome: Outcome::Error(error.clone()) });
        }
        LineError::Status(status) if matches!(status.as_u16(), 401 | 403) => {
            (StatusCode::BAD_GATEWAY, "target_refuses", "call the agent at its own path, with the token it asks for")
        }
        LineError::Status(_) => (StatusCode::BAD_GATEWAY, "target_refuses", "see the log of the agent"),
        LineError::Unknown => {
            (StatusCode::SERVICE_UNAVAILABLE, "target_unreachable", "ask `/catalog` of the proxy why")
        }
        LineError::Late => (StatusCode::GATEWAY_TIMEOUT, "target_unreachable", "try again in a moment"),
        LineError::Pipe(super::pipe::PipeError::Broken(_)) | LineError::NoAnswer => {
            (StatusCode::BAD_GATEWAY, "target_broke_off", "the call may have run; check before sending it again")
        }
        LineError::Pipe(_) => (StatusCode::BAD_GATEWAY, "target_unreachable", "try again in a moment"),
        LineError::SessionLost => (
            StatusCode::BAD_GATEWAY,
            "target_session_lost",
            "call again to start anew; what the agent kept for you is gone",
        ),
    };
    let detail = format!("`{agent}`: {error}");
    let mut data = Object::default().with("reason", &reason).with("detail", &detail).with("hint", &hint);
    data.set("agent", raw(&agent.as_str()));
    if reason == "target_broke_off" {
        data.set("may_have_run", raw(&true));
    }
    let error = Object::default().with("code", &INTERNAL_ERROR).with("message", &detail).with("data", &data);
    (status, Message::Answer { id: Some(id), outcome: Outcome::Error(error.raw()) })
}
