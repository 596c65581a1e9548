//! One visit: opens, lists, and uses everything that was listed.
//!
//! In: a way to the server. Out: the requests of every feature that the server says it has.
//! Never here: tokens; an error that demands one goes to the caller.
//! Invariant: a tool that fails does not end the visit, a transport that fails does.

use anyhow::Context as _;
use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, GetPromptRequestParams, ReadResourceRequestParams, Tool};
use rmcp::service::{ClientServiceExt, RunningService, ServiceError};
use rmcp::transport::IntoTransport;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::user::{User, proposed};

type Visit = RunningService<RoleClient, User>;

pub async fn make<T, E, A>(transport: T, context: &Context) -> anyhow::Result<()>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let visit = User.serve_with_lifecycle(transport, context.lifecycle()).await?;
    let used = use_all(&visit, context).await;
    // An error here says that the server has gone, and then nothing is left to be closed.
    let _ = visit.cancel().await;
    used
}

async fn use_all(visit: &Visit, context: &Context) -> anyhow::Result<()> {
    // The suite's first server lists tools although it does not say that it has any.
    let tools = visit.list_all_tools().await?;
    use_tools(visit, &tools, context).await?;
    let offered = visit.peer_info().map(|server| server.capabilities.clone()).unwrap_or_default();
    if offered.resources.is_some() {
        for resource in visit.list_all_resources().await? {
            heard(visit.read_resource(ReadResourceRequestParams::new(resource.uri)).await.map(drop))?;
        }
    }
    if offered.prompts.is_some() {
        for prompt in visit.list_all_prompts().await? {
            let arguments = prompt.arguments.unwrap_or_default();
            let arguments: Map<String, Value> =
                arguments.into_iter().map(|argument| (argument.name, json!("text"))).collect();
            let request = GetPromptRequestParams::new(prompt.name).with_arguments(arguments);
            heard(visit.get_prompt(request).await.map(drop))?;
        }
    }
    Ok(())
}

/// Makes the calls that the suite wants; each tool once if it wants none in particular.
async fn use_tools(visit: &Visit, tools: &[Tool], context: &Context) -> anyhow::Result<()> {
    for call in &context.calls {
        anyhow::ensure!(tools.iter().any(|tool| tool.name == call.name), "the tool {} is not offered", call.name);
        let request = CallToolRequestParams::new(call.name.clone()).with_arguments(call.arguments.clone());
        heard(visit.call_tool(request).await.map(drop))?;
    }
    if !context.calls.is_empty() {
        return Ok(());
    }
    let first = tools.first().map(|tool| json!(tool.input_schema));
    for tool in tools {
        let mut arguments = proposed(&json!(tool.input_schema));
        // A tool that takes a schema gets one that went through this client, so that its loss can be seen.
        if let (Some(schema), Some(first)) = (arguments.get_mut("schema"), &first) {
            schema.clone_from(first);
        }
        let request = CallToolRequestParams::new(tool.name.clone()).with_arguments(arguments);
        heard(visit.call_tool(request).await.map(drop))?;
    }
    Ok(())
}

/// An error that the server tells in the protocol is an answer; what comes from below it is not.
fn heard(answer: Result<(), ServiceError>) -> anyhow::Result<()> {
    match answer {
        Ok(()) | Err(ServiceError::McpError(_)) => Ok(()),
        Err(error) => Err(error).context("the server did not answer"),
    }
}
