use super::*;

#[test]
fn a_list_has_the_tools_that_were_asked_for() {
    for count in [0, 1, 40, TOOLS_MAX] {
        let list: Vec<serde_json::Value> = serde_json::from_str(&format!("[{}]", tools(count))).unwrap();
        assert_eq!(list.len(), count);
    }
    assert!((20_000..60_000).contains(&tools(40).len()), "{}", tools(40).len());
}
