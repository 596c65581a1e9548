//! The server as the SDK sees it: which request goes where.
//!
//! In: parsed requests of one session, or one request of its own. Out: results of the modules beside this one.
//! Never here: framing, headers, sessions, versions; those are the SDK's.
//! Invariant: what a session says of itself (its log level, what it watches) stays in that session.
#![expect(deprecated, reason = "log levels and subscriptions of 2025-11-25 are served as long as they are spoken")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ClientCapabilities,
    CompleteRequestParams, CompleteResult, CompletionInfo, ContentBlock, ErrorData, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, GetTaskParams, GetTaskResult, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, LoggingLevel, PaginatedRequestParams,
    PromptMessage, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ResourceContents, Role, ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::rounds::{self, Round, Step};
use super::state::{Change, Shared};
use super::{jobs, speaking};

/// How long a client may keep a list.
const LIST_MILLIS: u64 = 1_000;
/// Most resources that one session may watch.
const WATCHED_MAX: usize = 64;

#[derive(Clone)]
pub struct ConformanceAgent {
    shared: Arc<Shared>,
    /// As `logging/setLevel` said; a session that said nothing hears all.
    level: Arc<Mutex<LoggingLevel>>,
    watched: Arc<Mutex<BTreeSet<String>>>,
}

impl ConformanceAgent {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, level: Arc::new(Mutex::new(LoggingLevel::Debug)), watched: Arc::default() }
    }

    /// The least level that this call may log at; `None` if it may not log.
    fn least_level(&self, context: &RequestContext<RoleServer>) -> Option<LoggingLevel> {
        if is_modern(context) {
            return context.meta.log_level();
        }
        Some(*self.level.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A question in the way of the client's revision.
    async fn ask(
        &self,
        round: &Round<'_>,
        arguments: &Value,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let question = speaking::question(round.name, arguments)?;
        if !is_modern(context) {
            return speaking::asks(context, round.name, question).await.map(CallToolResponse::from);
        }
        match question.answer(round.responses) {
            Some(answer) => Ok(speaking::text(speaking::told(round.name, &answer)).into()),
            None => answered(round.once(question)?),
        }
    }

    async fn answer_tool(
        &self,
        round: &Round<'_>,
        arguments: &Value,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let argument = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let result = match round.name {
            "test_tool_with_logging" | "test_logging_tool" => speaking::logs(context, self.least_level(context)).await,
            "test_tool_with_progress" => speaking::progress(context).await,
            "test_reconnection" => speaking::slowly().await,
            "test_sampling"
            | "test_elicitation"
            | "test_elicitation_sep1034_defaults"
            | "test_elicitation_sep1330_enums" => return self.ask(round, arguments, context).await,
            "test_missing_capability" => needs_sampling(round.capabilities)?,
            "test_trigger_tool_change" => {
                self.shared.change(Change::Tools);
                speaking::text("The list of tools has changed")
            }
            "test_trigger_prompt_change" => {
                self.shared.change(Change::Prompts);
                speaking::text("The list of prompts has changed")
            }
            "test_routed_region" => speaking::text(format!("Region: {}", argument("region"))),
            "greet" => speaking::text(format!("Hello, {}!", argument("name"))),
            "slow_compute"
            | "failing_job"
            | "protocol_error_job"
            | "confirm_delete"
            | "multi_input"
            | "test_tool_with_task" => return jobs::run(round, arguments).await,
            _ if !is_modern(context) => return Ok(only_in_rounds().into()),
            _ => return answered(rounds::take(round)?),
        };
        Ok(result.into())
    }
}

fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

fn answered(step: Step) -> Result<CallToolResponse, ErrorData> {
    match step {
        Step::Ask(result) => Ok(result.into()),
        Step::Done(words) => Ok(speaking::text(words).into()),
    }
}

fn only_in_rounds() -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text("This tool asks within its result, which began with 2026-07-28")])
}

fn needs_sampling(capabilities: &ClientCapabilities) -> Result<CallToolResult, ErrorData> {
    if capabilities.sampling.is_some() {
        return Ok(speaking::text("The client can sample"));
    }
    let needed = ClientCapabilities::builder().enable_sampling().build();
    Err(ErrorData::missing_required_client_capability(needed))
}

/// The text of a resource that its template describes.
fn from_template(uri: &str) -> Option<ResourceContents> {
    let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
    if id.is_empty() || id.contains('/') {
        return None;
    }
    let text = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") }).to_string();
    Some(ResourceContents::text(text, uri).with_mime_type("application/json"))
}

fn prompt_with_arguments(name: &str, arguments: &Value) -> Option<Result<GetPromptResult, ErrorData>> {
    let argument = |name: &str| {
        let given = arguments.get(name).and_then(Value::as_str);
        given.ok_or_else(|| ErrorData::invalid_params(format!("the argument {name} is missing"), None))
    };
    let messages = match name {
        "test_prompt_with_arguments" => argument("arg1").and_then(|first| {
            let text = format!("Prompt with arguments: arg1='{first}', arg2='{}'", argument("arg2")?);
            Ok(vec![PromptMessage::new_text(Role::User, text)])
        }),
        "test_prompt_with_embedded_resource" => argument("resourceUri").map(|uri| {
            let text = "Embedded resource content for testing.".to_owned();
            let resource = PromptMessage::new_resource(
                Role::User,
                uri.to_owned(),
                Some("text/plain".to_owned()),
                Some(text),
                None,
                None,
                None,
            );
            vec![resource, PromptMessage::new_text(Role::User, "Please process the embedded resource above.")]
        }),
        _ => return None,
    };
    Some(messages.map(GetPromptResult::new))
}

impl ServerHandler for ConformanceAgent {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_tasks()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("conformance-server", env!("CARGO_PKG_VERSION")))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.shared.tools().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = ListToolsResult::with_all_items(self.shared.tools());
        Ok(tools.with_ttl_ms(LIST_MILLIS).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.get_tool(&request.name).is_none() {
            return Err(ErrorData::invalid_params(format!("unknown tool {}", request.name), None));
        }
        if let Some(answer) = self.shared.offers.answers.get(request.name.as_ref()) {
            return Ok(answer.clone().into());
        }
        let capabilities = context.client_capabilities().unwrap_or_default();
        let round = Round {
            name: &request.name,
            responses: request.input_responses.as_ref(),
            state: request.request_state.as_deref(),
            capabilities: &capabilities,
            shared: &self.shared,
        };
        self.answer_tool(&round, &json!(request.arguments), &context).await
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompts = ListPromptsResult::with_all_items(self.shared.prompts());
        Ok(prompts.with_ttl_ms(LIST_MILLIS).with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let name = request.name.as_str();
        if !self.shared.prompts().iter().any(|prompt| prompt.name == name) {
            return Err(ErrorData::invalid_params(format!("unknown prompt {name}"), None));
        }
        if let Some(messages) = self.shared.offers.messages.get(name) {
            return Ok(messages.clone().into());
        }
        if let Some(result) = prompt_with_arguments(name, &json!(request.arguments)) {
            return result.map(GetPromptResponse::from);
        }
        if !is_modern(&context) {
            return Err(ErrorData::invalid_params(
                "this prompt asks within its result, which began with 2026-07-28",
                None,
            ));
        }
        let capabilities = context.client_capabilities().unwrap_or_default();
        let (responses, state) = (request.input_responses.as_ref(), request.request_state.as_deref());
        match rounds::take(&Round { name, responses, state, capabilities: &capabilities, shared: &self.shared })? {
            Step::Ask(result) => Ok(result.into()),
            Step::Done(words) => Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, words)]).into()),
        }
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = ListResourcesResult::with_all_items(self.shared.offers.resources.clone());
        Ok(resources.with_ttl_ms(LIST_MILLIS).with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = ListResourceTemplatesResult::with_all_items(self.shared.offers.templates.clone());
        Ok(templates.with_ttl_ms(LIST_MILLIS).with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let fixed = self.shared.offers.contents.get(&uri).cloned();
        let contents = fixed.or_else(|| from_template(&uri).map(|contents| vec![contents]));
        let contents =
            contents.ok_or_else(|| ErrorData::invalid_params("Resource not found", Some(json!({ "uri": uri }))))?;
        let result = ReadResourceResult::new(contents);
        Ok(result.with_ttl_ms(LIST_MILLIS).with_cache_scope(CacheScope::Public).into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let begun = request.argument.value;
        let words = ["paris", "park", "party", "london"].into_iter().filter(|word| word.starts_with(&begun));
        let values = CompletionInfo::with_all_values(words.map(str::to_owned).collect());
        values.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = request.level;
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.len() >= WATCHED_MAX && !watched.contains(&request.uri) {
            return Err(ErrorData::invalid_params(format!("a session watches {WATCHED_MAX} resources at most"), None));
        }
        watched.insert(request.uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.shared.listen();
        loop {
            let change = tokio::select! {
                () = context.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            // What the client did not ask for is refused by the sink, and that is all there is to it.
            let _ = match change {
                Ok(Change::Tools) => context.sink().notify_tool_list_changed().await,
                Ok(Change::Prompts) => context.sink().notify_prompt_list_changed().await,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return Ok(()),
            };
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.shared.tasks.get_task(&request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.shared.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.shared.tasks.cancel_task(&request.task_id)
    }
}
