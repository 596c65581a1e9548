//! Tools that run as tasks (the extension `io.modelcontextprotocol/tasks`).
//!
//! In: a call of a client that knows tasks, or does not. Out: a task, or the result at once, or a refusal.
//! Never here: how a task is polled; that is the SDK's task manager.
//! Invariant: a client that does not know tasks never gets one.

use std::time::Duration;

use rmcp::model::{CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, CreateTaskResult, ErrorData};
use rmcp::task_manager::{TaskContext, TaskExit, TaskFuture, TaskOptions};
use serde_json::Value;

use super::questions::{Question, field, in_words};
use super::rounds::{Round, Step};
use super::speaking::text;

const SECONDS_MAX: f64 = 60.0;
const POLL_MILLIS: u64 = 200;

pub async fn run(round: &Round<'_>, arguments: &Value) -> Result<CallToolResponse, ErrorData> {
    let knows_tasks = round.capabilities.supports_tasks();
    if round.name == "slow_compute" && !knows_tasks {
        tokio::time::sleep(seconds(arguments)?).await;
        return Ok(computed(arguments).into());
    }
    if !knows_tasks {
        return Err(ErrorData::missing_required_client_capability(
            ClientCapabilities::builder().enable_tasks().build(),
        ));
    }
    match round.name {
        "slow_compute" => {
            let (seconds, result) = (seconds(arguments)?, computed(arguments));
            Ok(start(round, |task| Box::pin(async move { compute(task, seconds, result).await })))
        }
        "failing_job" => Ok(start(round, |task| Box::pin(fail(task)))),
        "protocol_error_job" => Ok(start(round, |_| Box::pin(async { Err(broken().into()) }))),
        "confirm_delete" => {
            let file = arguments.get("filename").and_then(Value::as_str).unwrap_or("nothing.txt").to_owned();
            Ok(start(round, |task| Box::pin(delete(task, file))))
        }
        "multi_input" => Ok(start(round, |task| Box::pin(two_inputs(task)))),
        _ => greet_later(round),
    }
}

fn start(round: &Round<'_>, work: impl FnOnce(TaskContext) -> TaskFuture) -> CallToolResponse {
    let task = round.shared.tasks.spawn(TaskOptions::new().with_poll_interval_ms(POLL_MILLIS), work);
    CreateTaskResult::new(task).into()
}

fn seconds(arguments: &Value) -> Result<Duration, ErrorData> {
    let seconds = arguments.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(ErrorData::invalid_params(format!("seconds go from 0 to {SECONDS_MAX}"), None));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn computed(arguments: &Value) -> CallToolResult {
    text(format!("Computed for {} seconds", arguments.get("seconds").and_then(Value::as_f64).unwrap_or(0.0)))
}

async fn compute(task: TaskContext, seconds: Duration, result: CallToolResult) -> Result<CallToolResult, TaskExit> {
    tokio::select! {
        () = tokio::time::sleep(seconds) => Ok(result),
        () = task.cancelled() => Err(TaskExit::Cancelled),
    }
}

async fn fail(task: TaskContext) -> Result<CallToolResult, TaskExit> {
    let failed = CallToolResult::error(vec![ContentBlock::text("The job failed, as it always does")]);
    compute(task, Duration::from_secs(1), failed).await
}

fn broken() -> ErrorData {
    ErrorData::internal_error("The job broke, as it always does", None)
}

async fn delete(task: TaskContext, file: String) -> Result<CallToolResult, TaskExit> {
    let question = Question::yes("confirm", &format!("Really delete {file}?"), "confirm")?;
    let answer = task.request_input(question.key, question.request).await?;
    Ok(text(format!("{file}: {}", in_words(&answer))))
}

async fn two_inputs(task: TaskContext) -> Result<CallToolResult, TaskExit> {
    let name = Question::text("name", "What is your name?", "name")?;
    let color = Question::text("color", "What is your favorite color?", "color")?;
    let (name, color) =
        tokio::try_join!(task.request_input(name.key, name.request), task.request_input(color.key, color.request))?;
    Ok(text(format!("{}; {}", in_words(&name), in_words(&color))))
}

/// Asks within the result first, and is a task only once it knows the answer.
fn greet_later(round: &Round<'_>) -> Result<CallToolResponse, ErrorData> {
    let question = Question::text("user_name", "What is your name?", "name")?;
    if let Some(answer) = question.answer(round.responses) {
        let greeting = format!("Hello, {}!", field(&answer, "name"));
        return Ok(start(round, |_| Box::pin(async { Ok(text(greeting)) })));
    }
    match round.once(question)? {
        Step::Ask(result) => Ok(result.into()),
        Step::Done(words) => Ok(text(words).into()),
    }
}
