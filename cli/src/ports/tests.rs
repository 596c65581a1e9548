use serde_json::json;

use super::write;

#[test]
fn the_file_is_whole_and_nothing_else_is_left() {
    let folder = std::env::temp_dir().join(format!("outrigger-ports-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("ports.json");
    write(&file, &json!({"outbound": "127.0.0.1:1"})).unwrap();
    write(&file, &json!({"outbound": "127.0.0.1:2"})).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"outbound\":\"127.0.0.1:2\"}\n");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(write(&file, &json!({})).unwrap_err().to_string().contains("cannot be written"));
}
