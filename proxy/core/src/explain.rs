//! What would be decided about a call now, and why.
//!
//! In: the world, a call as an operator describes it, what is known of its keys, `now`. Out: an [`Explanation`], or the refusal.
//! Never here: anything that changes what it looks at: no turn is taken, no half-open circuit is tried, no budget is used.
//! Invariant: each answer is that of the module that decides it for calls; only words are added here.

use std::sync::Arc;
use std::time::Instant;

use outrigger_model::revision::Era;
use outrigger_model::traffic::When;

use crate::balance::preview::{Preview, preview};
use crate::health::tools::Tool;
use crate::http1::head::RequestHead;
use crate::limit::subject::Subject;
use crate::mcp::envelope::Scanner;
use crate::mcp::facts::{CallFacts, Caller, Verb};
use crate::mcp::method::Method;
use crate::mcp::table::Retry;
use crate::plan::{Aim, Dest, Plan, aim, dest, plan};
use crate::refusal::{Malformed, Refusal};
use crate::route::{self, Lot};
use crate::session::bind::Binding;
use crate::session::key::SessionKey;
use crate::target::Target;
use crate::world::endpoint::{Endpoint, Pool, Route};
use crate::world::table::World;

/// Of the lines that are made up for a call that does not say its revision.
const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";

/// A call as an operator describes it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Of a route, else of an agent or a replica.
    pub name: &'a str,
    /// Of MCP; `GET` and `DELETE` are those of HTTP.
    pub method: &'a str,
    /// What its head names: a tool, a prompt, a resource.
    pub tool: Option<&'a str>,
    pub headers: &'a [(String, String)],
    /// The message that such a call has.
    pub body: &'a [u8],
    pub caller: &'a Caller,
}

/// The decision, and what it rests on.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub aim: Aim,
    /// What a call is told that cannot be planned.
    pub plan: Result<Plan, Refusal>,
    pub era: Option<Era>,
    pub subject: Subject,
    pub repeats: Repeats,
    /// Most attempts, the first included.
    pub attempts: usize,
    /// The one replica that it can go to.
    pub only: Option<Arc<Endpoint>>,
    /// Whom the branch of the route is meant for that shares it.
    pub branch: Option<When>,
    pub prospects: Vec<Prospect>,
}

/// One pool that it may go to.
#[derive(Debug, Clone)]
pub struct Prospect {
    pub pool: Arc<Pool>,
    /// Its part of the calls of the branch.
    pub weight: u16,
    /// The call of this caller goes there; where it is drawn for each call, that is said of none.
    pub is_chosen: bool,
    /// None where it goes to one replica whatever the pool is like.
    pub preview: Option<Preview>,
}

/// Whether it may run twice, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    Read,
    ToolByName,
    ToolByHint,
    /// It would, but it can go to one replica only.
    Held,
    InSession,
    NoRoute,
    NoTool,
    ToolNotNamed,
    ToolNotHinted,
    MayAct,
}

pub fn explain(
    world: &World,
    question: Question<'_>,
    known: impl Fn(&SessionKey) -> Option<Arc<Binding>>,
    now: Instant,
) -> Result<Explanation, Refusal> {
    let head = question.head()?;
    let (dest, target) = question.dest(world)?;
    let facts = CallFacts::read(question.verb(), &head.fields, target, question.caller.clone())?;
    let mut scanner = Scanner::wanting(dest.wants(&facts));
    let envelope = match facts.verb {
        Verb::Post => {
            scanner.read_on(question.body).map_err(|_| Refusal::Malformed(Malformed::Line))?;
            Some(scanner.envelope(question.body))
        }
        _ => None,
    };
    let facts = match &envelope {
        Some(envelope) => facts.with_envelope(envelope, true)?,
        None => facts,
    };
    // What is drawn is drawn for each call; a caller that stays somewhere stays there whatever it is.
    let lot = dest.draws().then_some(Lot { chance: 0, now });
    let aim = aim(dest, &facts, envelope.as_ref(), lot);
    let found: Vec<_> = aim.keys().iter().map(|carried| known(&carried.key)).collect();
    let planned = plan(world, aim.clone(), &found);
    let only = planned.as_ref().ok().and_then(Plan::only).cloned();
    let branch = aim.dest().route().and_then(|route| route::branch(route, &facts));
    Ok(Explanation {
        repeats: repeats(&aim, planned.as_ref().ok(), &facts, question.tool),
        attempts: planned.as_ref().map_or(0, Plan::attempts_max),
        prospects: prospects(&aim, planned.as_ref().ok(), &facts, question.tool, now),
        branch: branch.map(|branch| branch.when.clone()),
        subject: Subject::of(&facts, envelope.as_ref()),
        era: facts.era,
        plan: planned,
        only,
        aim,
    })
}

fn repeats(aim: &Aim, plan: Option<&Plan>, facts: &CallFacts<'_>, tool: Option<&str>) -> Repeats {
    let calls_tool = facts.method == Some(Method::ToolsCall);
    let route = aim.dest().route();
    match (aim.retry(), route, tool) {
        (Retry::SafeRead | Retry::RepeatableTool, ..) if plan.is_some_and(|plan| !plan.may_run_twice()) => {
            Repeats::Held
        }
        (Retry::SafeRead, ..) => Repeats::Read,
        (Retry::RepeatableTool, Some(route), Some(tool)) if route.policy.retries.names(tool) => Repeats::ToolByName,
        (Retry::RepeatableTool, ..) => Repeats::ToolByHint,
        (Retry::ConnectOnly, ..) if facts.session.is_some() => Repeats::InSession,
        (Retry::ConnectOnly, ..) if !calls_tool => Repeats::MayAct,
        (Retry::ConnectOnly, None, _) => Repeats::NoRoute,
        (Retry::ConnectOnly, Some(_), None) => Repeats::NoTool,
        (Retry::ConnectOnly, Some(route), Some(_)) if route.policy.retries.trust_hints => Repeats::ToolNotHinted,
        (Retry::ConnectOnly, Some(_), Some(_)) => Repeats::ToolNotNamed,
    }
}

fn prospects(aim: &Aim, plan: Option<&Plan>, facts: &CallFacts<'_>, tool: Option<&str>, now: Instant) -> Vec<Prospect> {
    let tool = tool.filter(|_| facts.method == Some(Method::ToolsCall)).map(Tool::of);
    let free = plan.filter(|plan| plan.only().is_none());
    let prospect = |pool: &Arc<Pool>, weight, is_chosen| Prospect {
        pool: Arc::clone(pool),
        weight,
        is_chosen,
        preview: free.map(|plan| preview(pool, plan.by(pool), tool, now)),
    };
    let branch = aim.dest().route().and_then(|route| Some((route, route::branch(route, facts)?)));
    match branch {
        Some((route, branch)) => {
            let stays = route::stays_with_caller(route, aim.row());
            let is_it = |pool: &Arc<Pool>| stays && aim.pool().is_some_and(|chosen| chosen.name == pool.name);
            branch.shares.iter().map(|share| prospect(&share.pool, share.weight, is_it(&share.pool))).collect()
        }
        None => aim.pool().map(|pool| prospect(pool, 100, true)).into_iter().collect(),
    }
}

impl<'a> Question<'a> {
    fn verb(&self) -> Verb {
        match self.method {
            "GET" => Verb::Get,
            "DELETE" => Verb::Delete,
            _ => Verb::Post,
        }
    }

    /// A route, as `/{name}/mcp` finds it, else what `/agents/{name}/mcp` finds.
    fn dest(&self, world: &World) -> Result<(Dest, Target<'a>), Refusal> {
        [Target::Route(self.name), Target::Agent(self.name)]
            .into_iter()
            .find_map(|target| Some((dest(world, target).ok()?, target)))
            .ok_or_else(|| Refusal::NoRoute { name: self.name.to_owned(), routes: world.route_names() })
    }

    /// The head of such a call; it is modern where nothing says otherwise.
    fn head(&self) -> Result<RequestHead, Refusal> {
        let has = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut lines = vec![("content-type", "application/json")];
        let is_legacy = self.method == "initialize" || self.verb() != Verb::Post || has("mcp-session-id");
        let usual = if is_legacy { LEGACY } else { MODERN };
        let said = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("mcp-protocol-version"));
        if said.is_none() {
            lines.push(("mcp-protocol-version", usual));
        }
        if said.map_or(usual, |(_, revision)| revision) == MODERN {
            let derived = [("mcp-method", Some(self.method)), ("mcp-name", self.tool)];
            lines.extend(derived.into_iter().filter(|(name, _)| !has(name)).filter_map(|(name, is)| Some((name, is?))));
        }
        lines.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut text = "POST / HTTP/1.1\r\n".to_owned();
        for (name, value) in lines {
            if name.is_empty() || name.chars().chain(value.chars()).any(char::is_control) {
                return Err(Refusal::Malformed(Malformed::Line));
            }
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        RequestHead::parse(text.into_bytes())
    }
}

impl Explanation {
    pub fn route(&self) -> Option<&Route> {
        self.aim.dest().route()
    }
}

impl Repeats {
    pub const fn may(self) -> bool {
        matches!(self, Self::Read | Self::ToolByName | Self::ToolByHint)
    }

    /// For people.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Read => "such calls change nothing",
            Self::ToolByName => "the route names the tool in `retries.tools`",
            Self::ToolByHint => "all replicas hint that the tool may run twice, and the route trusts them",
            Self::Held => "it can go to one replica only",
            Self::InSession => "it is of a session, where no id may be used twice",
            Self::NoRoute => "it names a replica, of which no route says anything",
            Self::NoTool => "no tool is named",
            Self::ToolNotNamed => "the route does not name the tool in `retries.tools`, and trusts no hints",
            Self::ToolNotHinted => "neither does the route name the tool nor do all replicas hint at it",
            Self::MayAct => "such calls may change something",
        }
    }
}

#[cfg(test)]
mod tests;
