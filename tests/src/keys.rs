//! State that a key leads to, as members of a crowd have it: handles in arguments, tasks, calls in several rounds.
//!
//! In: a line to one proxy. Out: whether the answer came from the process that has what is asked for.
//! Never here: sessions; those are `habits`.
//! Invariant: every call is one of the revision without sessions, so nothing but its key says where it belongs.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::crowd::{Habit, Heard, Line};
use crate::habits::Place;
use crate::mcp::{self, Modern};
use crate::peers::Sdk;

/// Values of the caller's own choice in the arguments of a call, each with a count of its own.
#[derive(Clone)]
pub struct Handles;

pub struct Handle {
    pub value: String,
    pub place: Place,
}

impl Habit for Handles {
    type Member = Handle;

    async fn arrive(&self, _: &mut Line, number: usize) -> Result<Handle> {
        Ok(Handle { value: format!("cart-{number}"), place: Place::default() })
    }

    async fn step(&self, member: &mut Handle, line: &mut Line) -> Result<Heard> {
        let params = json!({"name": "increment", "arguments": {"session_id": member.value}});
        let call = Modern { method: "tools/call", name: "increment", params, capabilities: json!({}) };
        let text = mcp::text_of(&line.post(&call.headers(), call.body()).await?)?;
        member.place.hear(Sdk::Handles, &text)
    }
}

/// Tasks: each is started, asked for a few times, and followed by another one.
#[derive(Clone)]
pub struct Tasks;

#[derive(Default)]
pub struct Task {
    id: Option<String>,
    asked: u32,
}

/// How often a task is asked for before it is left.
const ASKED_MAX: u32 = 6;

impl Habit for Tasks {
    type Member = Task;

    async fn arrive(&self, _: &mut Line, _: usize) -> Result<Task> {
        Ok(Task::default())
    }

    async fn step(&self, member: &mut Task, line: &mut Line) -> Result<Heard> {
        let (method, name, params) = match &member.id {
            None => {
                let params = json!({"name": "slow_compute", "arguments": {"seconds": 0.01}});
                ("tools/call", "slow_compute".to_owned(), params)
            }
            Some(id) => ("tasks/get", id.clone(), json!({"taskId": id})),
        };
        let capabilities = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
        let ask = Modern { method, name: &name, params, capabilities };
        let message = mcp::message_of(&line.post(&ask.headers(), ask.body()).await?)?;
        let Some(id) = message.pointer("/result/taskId").and_then(Value::as_str) else {
            return strayed(&message, member.id.is_some());
        };
        if member.id.as_ref().is_some_and(|own| own != id) {
            return Ok(Heard::Misrouted(format!("{id} is not the task that was asked for")));
        }
        member.asked += 1;
        member.id = (!member.asked.is_multiple_of(ASKED_MAX)).then(|| id.to_owned());
        Ok(Heard::Right)
    }
}

/// Calls in three rounds: what one round answers with must come back in the next, to the process that made it.
#[derive(Clone)]
pub struct Rounds;

pub struct Round {
    name: String,
    state: Option<String>,
    /// Which question is open, if any.
    question: Option<&'static str>,
}

impl Habit for Rounds {
    type Member = Round;

    async fn arrive(&self, _: &mut Line, number: usize) -> Result<Round> {
        Ok(Round { name: format!("caller-{number}"), state: None, question: None })
    }

    async fn step(&self, member: &mut Round, line: &mut Line) -> Result<Heard> {
        let tool = "test_input_required_result_multi_round";
        let mut params = json!({"name": tool, "arguments": {}});
        if let (Some(question), Some(state), Some(params)) = (member.question, &member.state, params.as_object_mut()) {
            let content = if question == "step1" { json!({"name": member.name}) } else { json!({"color": "red"}) };
            params.insert("inputResponses".to_owned(), json!({question: {"action": "accept", "content": content}}));
            params.insert("requestState".to_owned(), json!(state));
        }
        let capabilities = json!({"elicitation": {"form": {}}});
        let ask = Modern { method: "tools/call", name: tool, params, capabilities };
        let message = mcp::message_of(&line.post(&ask.headers(), ask.body()).await?)?;
        let next = if member.question.is_none() { "step1" } else { "step2" };
        let state = message.pointer("/result/requestState").and_then(Value::as_str);
        if member.question == Some("step2") {
            let text = message.pointer("/result/content/0/text").and_then(Value::as_str).unwrap_or_default();
            if text != format!("{} likes red", member.name) {
                return strayed(&message, true);
            }
            (member.question, member.state) = (None, None);
        } else if let Some(state) = state
            && message.pointer("/result/inputRequests").and_then(|asked| asked.get(next)).is_some()
        {
            (member.question, member.state) = (Some(next), Some(state.to_owned()));
        } else {
            return strayed(&message, member.question.is_some());
        }
        Ok(Heard::Right)
    }
}

/// Another replica says that it does not know what is asked for; what is no answer of an agent at all is a call that failed.
fn strayed(message: &Value, goes_on: bool) -> Result<Heard> {
    let is_of_mesh = message.pointer("/error/data/serial").is_some();
    if goes_on && !is_of_mesh {
        return Ok(Heard::Misrouted(message.to_string()));
    }
    bail!("{message}")
}
