use outrigger_model::capability::ToolHints;
use outrigger_model::revision::Revision;
use serde_json::{Value, json};

use super::{IntrospectError, introspect};
use crate::config::settings::AgentUrl;
use crate::introspect::offer::Server;
use crate::tests::{Heard, Scripted, agents, respond, result};

fn url(agent: &Scripted) -> AgentUrl {
    let yaml = format!("agents: [{{name: weather, url: 'http://{}/mcp?x=1'}}]", agent.address);
    agents(&yaml).remove(0).url
}

fn tools(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })).collect()
}

fn modern(heard: &Heard) -> Option<String> {
    let meta = &heard.body["params"]["_meta"];
    let dressed = heard.header("mcp-method") == Some(heard.says())
        && heard.header("mcp-protocol-version") == Some("2026-07-28")
        && meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        && meta["io.modelcontextprotocol/clientInfo"]["name"] == "outrigger"
        && meta["io.modelcontextprotocol/clientCapabilities"].is_object();
    Some(match heard.says() {
        _ if !dressed => respond(400, "", r#"{"jsonrpc":"2.0","error":{"code":-32020,"message":"mismatch"}}"#),
        "server/discover" => result(
            heard,
            "",
            &json!({
                "resultType": "complete", "supportedVersions": ["2026-07-28", "2025-11-25", "nonsense", 3],
                "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "weatherd", "version": "4" } },
            }),
        ),
        _ => match heard.body["params"]["cursor"].as_str() {
            None => result(heard, "", &json!({ "tools": tools(&["b", "a"]), "nextCursor": "2" })),
            Some(_) => result(heard, "", &json!({ "tools": tools(&["c", "a"]) })),
        },
    })
}

#[tokio::test]
async fn a_modern_agent_is_asked_in_its_own_era_page_by_page() {
    let agent = Scripted::agent(modern).await;
    let offer = introspect(&url(&agent)).await.unwrap();
    assert_eq!(offer.revisions, [Revision::V2025_11_25, Revision::V2026_07_28]);
    assert_eq!(offer.server, Some(Server { name: "weatherd".into(), version: "4".into() }));
    let names: Vec<_> = offer.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"], "sorted, each once");
    assert_eq!(agent.said(), ["server/discover", "tools/list", "tools/list"]);
    assert_eq!(agent.heard()[0].header("host"), Some(agent.address.to_string().as_str()));
}

fn legacy(heard: &Heard) -> Option<String> {
    let in_session = heard.header("mcp-session-id") == Some("s-1");
    Some(match heard.says() {
        "server/discover" => respond(400, "", "Bad Request: no valid session ID provided"),
        "initialize" if heard.header("mcp-protocol-version").is_none() => result(
            heard,
            "Mcp-Session-Id: s-1\r\n",
            &json!({ "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                     "serverInfo": { "name": "old", "version": "1" } }),
        ),
        _ if !in_session || heard.header("mcp-protocol-version") != Some("2025-06-18") => respond(404, "", ""),
        "notifications/initialized" => respond(202, "", ""),
        "tools/list" => {
            let answer = json!({ "jsonrpc": "2.0", "id": heard.body["id"], "result": { "tools": [
                { "name": "read", "inputSchema": { "b": 1, "a": 2 }, "annotations": { "readOnlyHint": true } },
                { "name": "write", "inputSchema": { "a": 2, "b": 1 } },
                { "name": "" }, { "title": "no name" }, 7,
            ] } });
            let body = format!("id: 0\ndata: \n\nevent: message\ndata: {answer}\n\n");
            respond(200, "Content-Type: text/event-stream\r\n", &body)
        }
        _ => respond(200, "", ""),
    })
}

#[tokio::test]
async fn a_legacy_agent_is_asked_in_a_session_that_is_ended_afterwards() {
    let agent = Scripted::agent(legacy).await;
    let offer = introspect(&url(&agent)).await.unwrap();
    assert_eq!(offer.revisions, [Revision::V2025_06_18]);
    assert_eq!(offer.server.unwrap().name, "old");
    let [read, write] = offer.tools.as_slice() else { panic!("{:?}", offer.tools) };
    assert_eq!(read.hints, ToolHints { read_only: true, ..ToolHints::default() });
    assert_eq!(write.hints, ToolHints::default());
    assert_eq!(read.schema, write.schema, "the order of keys means nothing");
    assert_eq!(agent.said(), ["server/discover", "initialize", "notifications/initialized", "tools/list", "DELETE"]);
}

#[tokio::test]
async fn an_agent_without_tools_offers_none() {
    let agent = Scripted::agent(|heard| match heard.says() {
        "tools/list" => Some(respond(200, "", r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no"}}"#)),
        _ => legacy(heard),
    })
    .await;
    assert_eq!(introspect(&url(&agent)).await.unwrap().tools, []);
}

#[tokio::test]
async fn garbage_is_told_from_silence() {
    for (response, answered, says) in [
        (Some(respond(401, "", "")), true, "HTTP 401"),
        (Some(respond(200, "", "<html>")), true, "no MCP"),
        (Some(respond(200, "", "[]")), true, "no MCP"),
        (Some(respond(200, "", r#"{"id":1,"result":{"protocolVersion":7}}"#)), true, "no MCP"),
        (Some(respond(400, "", r#"{"id":1,"error":{"message":"go\u0007 away"}}"#)), true, "go away"),
        (Some("SSH-2.0-OpenSSH\r\n".into()), false, "cannot be reached"),
        (Some(String::new()), false, "cannot be reached"),
    ] {
        let label = format!("{response:?}");
        let agent = Scripted::agent(move |_| response.clone()).await;
        let error = introspect(&url(&agent)).await.unwrap_err();
        assert_eq!(error.answered(), answered, "{label}: {error}");
        assert!(error.to_string().contains(says), "{label}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_agent_is_given_up() {
    let agent = Scripted::agent(|_| None).await;
    let error = introspect(&url(&agent)).await.unwrap_err();
    assert!(matches!(error, IntrospectError::Silent), "{error}");
}

#[tokio::test]
async fn an_agent_that_counts_pages_for_ever_is_left() {
    let agent = Scripted::agent(|heard| match heard.says() {
        "tools/list" => Some(result(heard, "", &json!({ "tools": tools(&["a"]), "nextCursor": "again" }))),
        _ => modern(heard),
    })
    .await;
    assert_eq!(introspect(&url(&agent)).await.unwrap().tools.len(), 1);
    assert_eq!(agent.said().len(), 65);
}
