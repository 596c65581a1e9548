use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use outrigger_upstream::heartbeat::Heartbeat;

use super::Kept;

fn heartbeat(id: &str) -> Arc<Heartbeat> {
    let body = format!("{{\"agent_id\":\"{id}\",\n\"tools\":[{{\"function_name\":\"f\",\"description\":\"a\\nb\"}}]}}");
    Arc::new(Heartbeat::read(body.as_bytes()).unwrap())
}

#[test]
fn what_was_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept::beside(&folder.path().join("snapshot.bin"));
    assert!(kept.read(9).is_empty(), "no file");
    let both = [heartbeat("a-1"), heartbeat("b-1")];
    kept.write(&both[..1]);
    kept.write(&both);
    let read = kept.read(9);
    assert_eq!(read.iter().collect::<Vec<_>>(), both.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    assert_eq!(kept.read(1).len(), 1);
    let mode = std::fs::metadata(folder.path().join("snapshot.agents")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_makes_no_sense_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept::beside(&folder.path().join("snapshot.bin"));
    std::fs::write(folder.path().join("snapshot.agents"), b"{\"agent_id\":\"a-1\"}\nrubbish\n").unwrap();
    assert_eq!(kept.read(9).len(), 1);
    std::fs::write(folder.path().join("snapshot.agents"), [0xff, 0xfe]).unwrap();
    assert!(kept.read(9).is_empty());
}
