//! The binary tells apart what failed: the thing asked (1), the command line (2), the configuration (64).

use std::io::Result;
use std::process::{Command, Output};

fn outrigger(words: &[&str]) -> Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_outrigger")).args(words).env_remove("OUTRIGGER_CONTROL_HTTP").output()
}

/// An address on which nothing listens.
fn closed() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.to_string())
}

fn check(words: &[&str], code: i32, said: &str) -> Result<()> {
    let done = outrigger(words)?;
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(code), "{words:?}: {err}");
    assert!(err.contains(said), "{words:?}: {err}");
    Ok(())
}

#[test]
fn what_was_asked_and_failed_is_1_and_names_the_next_thing_to_try() -> Result<()> {
    let closed = closed()?;
    check(&["get", "agents", "--control", &closed], 1, "outrigger control -f control.yaml")?;
    check(&["sessions", "rotate-key", "--control", &closed], 1, &closed)?;
    check(&["explain", "weather", "--control", &closed], 1, &closed)?;
    check(&["snapshot", "history", "--control", &closed], 1, &closed)?;
    check(&["call", "weather", "get", "--outbound", &closed], 1, "outrigger proxy -f proxy.yaml")?;
    check(&["healthcheck", &closed], 1, "not ready")?;
    Ok(())
}

#[test]
fn a_command_line_that_means_nothing_is_2() -> Result<()> {
    check(&["get", "cats"], 2, "agents")?;
    check(&["snapshot", "publish", "-f", "x.yaml", "--author", "ada"], 2, "--reason")?;
    check(&["up", "weather"], 2, "weather=http://127.0.0.1:8081/mcp")?;
    check(&["up", "weather=stdio:uvx mcp-server-time"], 2, "not served yet")?;
    check(&["up", "w=http://127.0.0.1:1/mcp", "w=http://127.0.0.1:2/mcp"], 2, "named twice")?;
    Ok(())
}

#[test]
fn a_configuration_that_is_refused_is_64() -> Result<()> {
    let file = std::env::temp_dir().join(format!("outrigger-exit-{}.yaml", std::process::id()));
    std::fs::write(&file, "agnts: []\n")?;
    let path = file.display().to_string();
    for words in [["validate", path.as_str()].as_slice(), &["proxy", "-f", &path]] {
        check(words, 64, "did you mean `agents`?")?;
    }
    check(&["control", "-f", &path], 64, "unknown key `agnts`")?;
    check(&["snapshot", "plan", "-f", &path], 64, "unknown key `agnts`")?;
    check(&["snapshot", "publish", "-f", &path, "--author", "ada", "--reason", "x"], 64, "unknown key `agnts`")?;
    check(&["proxy", "-f", "nowhere.yaml"], 64, "nowhere.yaml")?;
    std::fs::remove_file(&file)?;
    Ok(())
}
