//! What an attempt was about, where its end may be the fault of one tool.
//!
//! In: a call, and its answer if there is one. Out: [`Blame`], for the endpoint to learn from.
//! Rule: the tool of a call is looked up only after it failed, or where some tool of the pool failed before; so a call that goes well
//! where all do costs one look at a flag, and one at a small answer.
//! Never here: what a failure is.

use outrigger_proxy_core::health::tools::Tool;
use outrigger_proxy_core::http1::body::Framing;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::mcp::method::Method;
use outrigger_proxy_core::mcp::{failed, headers};
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::call::{Call, Way};
use super::downstream::Downstream;
use super::exchange::Answer;

/// Nothing to blame is the usual case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blame {
    pub tool: Option<Tool>,
    /// The answer says that its server failed, although its status does not.
    pub tool_failed: bool,
}

impl Blame {
    /// Of an attempt that got no answer.
    pub fn of_failure(down: &Downstream<'_>, call: &Call) -> Self {
        Self { tool: is_judged(call).then(|| tool(down, call)).flatten(), tool_failed: false }
    }

    /// Of an answer; `begun` is what came of its body.
    pub fn of_answer(down: &Downstream<'_>, call: &Call, endpoint: &Endpoint, answer: &Answer, begun: &[u8]) -> Self {
        if !is_judged(call) {
            return Self::default();
        }
        let status = answer.head.status;
        let tool_failed = status.is_success() && says_failed(endpoint, answer.framing, begun);
        let matters = tool_failed || status.is_server_error() || endpoint.live.tools.is_any_failing();
        Self { tool: matters.then(|| tool(down, call)).flatten(), tool_failed }
    }
}

/// The tool that is called.
pub fn tool(down: &Downstream<'_>, call: &Call) -> Option<Tool> {
    if call.method != Some(Method::ToolsCall) {
        return None;
    }
    if let Some(name) = down.head.fields.first(Name::McpName) {
        return headers::decoded(name).map(|name| Tool::of(&name));
    }
    let seen = down.upload.beginning(&down.wire.inbox);
    down.upload.envelope(&seen)?.name().map(|name| Tool::of(&name))
}

/// Those that others choose for are judged where they are chosen.
fn is_judged(call: &Call) -> bool {
    call.method == Some(Method::ToolsCall) && matches!(call.way, Some(Way::Out(_)))
}

/// Only an answer that is small and came at once is looked at.
fn says_failed(endpoint: &Endpoint, framing: Framing, begun: &[u8]) -> bool {
    let Framing::Length(length) = framing else { return false };
    let body = usize::try_from(length).ok().and_then(|length| begun.get(..length));
    body.is_some_and(|body| failed::says_failed(body, endpoint.terms.policy.outlier.tool_errors))
}
