use std::path::Path;
use std::time::Duration;

use outrigger_model::replica::Generation;
use tokio::time::{sleep, timeout};

use super::run;
use crate::config::settings::{AgentSettings, Check, Command};
use crate::health::local::LocalReplica;
use crate::tests::agents;

fn agent() -> AgentSettings {
    agents("agents: [{name: weather, replica: weather-1, url: 'http://127.0.0.1:8081/mcp', probe: {exec: {command: [sh]}}}]")
        .remove(0)
}

fn shell(script: &str) -> Command {
    let Check::Command(command) = agent().probe.check else { panic!("the settings name a command") };
    Command { arguments: vec!["-c".to_owned(), script.to_owned()], ..command }
}

async fn told(script: &str) -> String {
    let about = LocalReplica::unseen(&agent(), Generation(1));
    run(&shell(script), &about).await.map_or_else(|error| error.to_string(), |()| String::new())
}

fn is_there(process: &str) -> bool {
    Path::new("/proc").join(process.trim()).exists()
}

#[tokio::test]
async fn a_command_that_ends_with_0_says_that_all_is_well() {
    assert_eq!(told("exit 0").await, "");
    assert_eq!(told("exit 3").await, "its health command ends with exit status: 3");
    assert_eq!(told("kill -9 $$").await, "its health command ends with signal: 9 (SIGKILL)");
}

#[tokio::test]
async fn its_first_words_are_told() {
    assert_eq!(
        told("echo no database >&2; echo more >&2; exit 1").await,
        "its health command ends with exit status: 1: no database"
    );
}

#[tokio::test]
async fn one_that_says_very_much_is_not_held_up_and_not_kept() {
    let said = told("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 1").await;
    assert_eq!(said, format!("its health command ends with exit status: 1: {}", "x".repeat(256)));
}

#[tokio::test]
async fn it_knows_whom_it_is_about_and_nothing_of_the_environment_of_the_proxy() {
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "there is something to be kept back");
    let wanted = "weather weather-1 http://127.0.0.1:8081/mcp";
    let script = format!(
        "test -z \"$CARGO_MANIFEST_DIR\" && test \"$OUTRIGGER_AGENT $OUTRIGGER_REPLICA $OUTRIGGER_URL\" = '{wanted}'"
    );
    assert_eq!(told(&script).await, "");
}

#[tokio::test]
async fn one_that_is_given_up_is_killed_with_all_that_it_started_and_leaves_no_zombie() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids");
    let script = format!("sleep 300 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", file.display());
    let mut ids = String::new();
    {
        let running = told(&script);
        tokio::pin!(running);
        while ids.is_empty() {
            assert!(timeout(Duration::from_millis(10), &mut running).await.is_err(), "it runs until it is killed");
            ids = std::fs::read_to_string(&file).unwrap_or_default();
        }
        assert!(ids.split(' ').all(is_there), "{ids}");
    }
    let gone = async {
        while ids.split(' ').any(is_there) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("both are gone, and were waited for");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let command = Command { program: "no-such-program".into(), arguments: Vec::new() };
    let about = LocalReplica::unseen(&agent(), Generation(1));
    assert_eq!(run(&command, &about).await.unwrap_err().to_string(), "its health command does not start");
}
