//! The methods of MCP that the proxy treats in a way of their own.
//!
//! In: the text of a method. Out: a [`Method`] of a closed list, fit for a metric label. What is done with each is in `table`.
//! Source: `schema.ts` of 2025-11-25 and 2026-07-28; unknown methods are [`Method::Other`] and pass.

/// What a client says when it has read the answer to `initialize`.
pub const INITIALIZED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// A method of MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Initialize,
    Ping,
    Discover,
    ToolsList,
    ToolsCall,
    ResourcesList,
    ResourceTemplatesList,
    ResourcesRead,
    ResourcesSubscribe,
    ResourcesUnsubscribe,
    PromptsList,
    PromptsGet,
    Complete,
    SetLevel,
    Listen,
    TasksGet,
    TasksUpdate,
    TasksCancel,
    TasksResult,
    TasksList,
    /// Any `notifications/…`.
    Notification,
    Other,
}

const TEXTS: [(Method, &str); 20] = [
    (Method::Initialize, "initialize"),
    (Method::Ping, "ping"),
    (Method::Discover, "server/discover"),
    (Method::ToolsList, "tools/list"),
    (Method::ToolsCall, "tools/call"),
    (Method::ResourcesList, "resources/list"),
    (Method::ResourceTemplatesList, "resources/templates/list"),
    (Method::ResourcesRead, "resources/read"),
    (Method::ResourcesSubscribe, "resources/subscribe"),
    (Method::ResourcesUnsubscribe, "resources/unsubscribe"),
    (Method::PromptsList, "prompts/list"),
    (Method::PromptsGet, "prompts/get"),
    (Method::Complete, "completion/complete"),
    (Method::SetLevel, "logging/setLevel"),
    (Method::Listen, "subscriptions/listen"),
    (Method::TasksGet, "tasks/get"),
    (Method::TasksUpdate, "tasks/update"),
    (Method::TasksCancel, "tasks/cancel"),
    (Method::TasksResult, "tasks/result"),
    (Method::TasksList, "tasks/list"),
];

impl Method {
    pub fn from_text(text: &str) -> Self {
        if text.starts_with("notifications/") {
            return Self::Notification;
        }
        TEXTS.iter().find(|(_, known)| *known == text).map_or(Self::Other, |(method, _)| *method)
    }

    /// The text of the method, `notifications` for all of those, `_other` for what we do not know.
    pub fn label(self) -> &'static str {
        match self {
            Self::Notification => "notifications",
            Self::Other => "_other",
            known => TEXTS.iter().find(|(method, _)| *method == known).map_or("_other", |(_, text)| *text),
        }
    }
}

#[cfg(test)]
mod tests;
