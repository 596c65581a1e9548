use super::*;

#[test]
fn a_number_on_two_replicas_was_executed_twice() {
    let folder = tempfile::tempdir().unwrap();
    let logs = ["a", "b"].map(|name| folder.path().join(name)).to_vec();
    let bytes = |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    std::fs::write(&logs[0], bytes(&[1, 2, 3])).unwrap();
    std::fs::write(&logs[1], bytes(&[3, 4])).unwrap();
    let testimony = Testimony::read(&logs).unwrap();
    assert_eq!((testimony.executed(), testimony.twice()), (4, 1));
    assert!(testimony.has(4) && !testimony.has(5));
}

#[test]
fn a_tool_says_of_itself_what_it_was_told_to_say() {
    for is_idempotent in [true, false] {
        let said: serde_json::Value = serde_json::from_str(&tools("1", is_idempotent)).unwrap();
        let hint = said.pointer("/result/tools/0/annotations/idempotentHint").unwrap();
        assert_eq!(hint.as_bool(), Some(is_idempotent));
    }
}
