use clap::{CommandFactory as _, Parser as _};

use super::{Args, Command};

fn parse(line: &str) -> Result<Command, String> {
    let words = line.split_whitespace();
    Args::try_parse_from(words).map(|args| args.command).map_err(|error| error.to_string())
}

#[test]
fn the_command_line_does_not_contradict_itself() {
    Args::command().debug_assert();
}

#[test]
fn arguments_of_a_tool_are_a_json_object() {
    let Ok(Command::Call(call)) = parse("outrigger call weather get {\"city\":\"Oslo\"}") else { panic!("a call") };
    assert_eq!(call.arguments.0.get("city").unwrap(), "Oslo");
    for bad in ["[1]", "{city}"] {
        let error = parse(&format!("outrigger call weather get {bad}")).unwrap_err();
        assert!(error.contains("{\"city\":\"Oslo\"}"), "{error}");
    }
}

#[test]
fn tags_may_begin_with_a_sign() {
    let Ok(Command::Explain(explain)) = parse("outrigger explain weather --tag -beta --tag +eu --version ^1.2") else {
        panic!("an explanation")
    };
    assert_eq!(explain.tags, ["-beta", "+eu"]);
    assert_eq!(explain.version.unwrap().to_string(), "^1.2");
}

#[test]
fn kinds_to_watch_are_named_whatever_their_case_and_others_are_refused_with_a_list() {
    assert!(parse("outrigger watch --kind endpoints").is_ok());
    let error = parse("outrigger watch --kind cats").unwrap_err();
    assert!(error.contains("Settings, Keyring, Revocations, Agent"), "{error}");
}

#[test]
fn exactly_one_thing_is_revoked_at_a_time() {
    for good in ["0123456789abcdef", "--caller spiffe://mesh/agent/a", "--agent weather --reason stolen"] {
        assert!(parse(&format!("outrigger sessions revoke {good}")).is_ok(), "{good}");
    }
    for bad in ["", "0123456789abcdef --agent weather", "--caller a --agent b", "my-id", "--agent Not*A*Name"] {
        assert!(parse(&format!("outrigger sessions revoke {bad}")).is_err(), "{bad}");
    }
}

#[test]
fn a_change_of_what_is_declared_has_an_author_and_a_reason() {
    for good in [
        "publish -f x.yaml --author ada --reason test",
        "rollback 3 --author ada --reason test --expect 4",
        "diff",
        "diff 1",
        "diff 1 2",
    ] {
        assert!(parse(&format!("outrigger snapshot {good}")).is_ok(), "{good}");
    }
    for bad in [
        "publish --author ada --reason test",
        "publish -f x.yaml --author ada",
        "rollback 0 --author ada --reason test",
    ] {
        assert!(parse(&format!("outrigger snapshot {bad}")).is_err(), "{bad}");
    }
}
