use super::*;

#[test]
fn all_files_are_written() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path()).unwrap();
    for name in ["ca.pem", "peer.pem", "peer.key", "peer.both.pem"] {
        assert!(fs::read_to_string(folder.path().join(name)).unwrap().starts_with("-----BEGIN"), "{name}");
    }
}
