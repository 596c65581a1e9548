use super::capabilities;
use crate::heartbeat::Heartbeat;
use outrigger_model::capability::Capability;

fn offered(tools: &str) -> Vec<Capability> {
    let body = format!(r#"{{"agent_id":"prov-1","tools":[{tools}]}}"#);
    capabilities(&Heartbeat::read(body.as_bytes()).unwrap().registration)
}

fn only(tool: &str) -> Capability {
    let mut all = offered(tool);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn tools(capability: &Capability) -> Vec<&str> {
    capability.tools.iter().map(|tool| tool.name.as_str()).collect()
}

#[test]
fn functions_of_one_name_are_one_capability_with_their_tools() {
    let all = offered(
        r#"{"function_name":"chat_stream","capability":"llm","version":"2.0.0","tags":["claude","ai.mcpmesh.stream"]},
           {"function_name":"add","capability":"math"},
           {"function_name":"chat","capability":"llm","version":"1.0.0","tags":["claude"]}"#,
    );
    let names: Vec<_> = all.iter().map(|capability| capability.name.as_str()).collect();
    assert_eq!(names, ["llm", "math"]);
    assert_eq!((tools(&all[0]), all[0].version.to_string()), (vec!["chat", "chat_stream"], "2.0.0".to_owned()));
    let tags: Vec<_> = all[0].tags.iter().map(|tag| tag.as_str()).collect();
    assert_eq!(tags, ["ai.mcpmesh.stream", "claude"]);
}

#[test]
fn what_nobody_can_ask_for_is_offered_to_nobody() {
    let all = offered(
        r#"{"function_name":"GET:/hi","capability":""}, {"function_name":"no"},
           {"function_name":"__mesh_job_status","capability":"__mesh_job_status"},
           {"function_name":"yes","capability":"yes"}"#,
    );
    assert_eq!(all.iter().map(|capability| capability.name.as_str()).collect::<Vec<_>>(), ["yes"]);
}

#[test]
fn the_digest_of_a_tool_changes_with_either_schema_and_with_nothing_else() {
    let schema = |rest: &str| only(&format!(r#"{{"function_name":"f","capability":"f"{rest}}}"#)).tools[0].schema;
    let plain = schema("");
    assert_eq!(plain, schema(r#","description":"more","tags":["x"]"#));
    let input = schema(r#","inputSchemaCanonical":{"type":"object"}"#);
    let output = schema(r#","outputSchemaCanonical":{"type":"object"}"#);
    assert!(plain != input && plain != output && input != output);
}

#[test]
fn how_calls_travel_is_read_from_the_arguments_of_the_function() {
    let capability = only(
        r#"{"function_name":"f","capability":"f","kwargs":{"timeout":2.5,"retry_count":4,"streaming":true,
            "custom_headers":{"X-Tenant":"blue","Host":"evil","x-number":7}, "session_required":true}}"#,
    );
    let written = capability.calls.written();
    assert_eq!((written.timeout_ms, written.retry_count, written.streaming), (Some(2_500), Some(4), true));
    assert_eq!(written.headers, [("x-tenant".to_owned(), "blue".to_owned())], "the mesh's own are not taken");
    assert!(capability.session_required);
}

#[test]
fn what_cannot_be_read_is_as_usual() {
    let check = |kwargs: &str, is_usual: bool| {
        let capability = only(&format!(r#"{{"function_name":"f","capability":"f","kwargs":{kwargs}}}"#));
        assert_eq!((capability.calls.is_usual(), capability.session_required), (is_usual, false), "{kwargs}");
    };
    check("{}", true);
    check(r#"{"timeout":"soon","retry_count":"many","custom_headers":[],"streaming":"no"}"#, true);
    check(r#"{"timeout":0}"#, true);
    check(r#"{"timeout":-1}"#, true);
    check(r#"{"timeout":1e300}"#, true);
    check("null", true);
    check(r#"{"stream_type":"text"}"#, false);
}

#[test]
fn more_attempts_than_there_can_be_are_as_many_as_there_can_be() {
    let capability = only(r#"{"function_name":"f","capability":"f","kwargs":{"retry_count":50}}"#);
    assert_eq!(capability.calls.retry_count(), Some(9));
}

#[test]
fn of_functions_of_one_name_the_longest_time_and_the_fewest_attempts_count() {
    let all = offered(
        r#"{"function_name":"a","capability":"f","kwargs":{"timeout":1,"retry_count":5}},
           {"function_name":"b","capability":"f","kwargs":{"timeout":30,"retry_count":0,"stateful":true}}"#,
    );
    let written = all[0].calls.written();
    assert_eq!((written.timeout_ms, written.retry_count), (Some(30_000), Some(0)));
    assert!(all[0].session_required);
}
