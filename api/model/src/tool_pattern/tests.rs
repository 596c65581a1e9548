use super::*;

#[test]
fn a_star_stands_for_any_letters_and_for_none() {
    let check = |pattern: &str, tool: &str, expected: bool| {
        assert_eq!(pattern.parse::<ToolPattern>().unwrap().matches(tool), expected, "{pattern} {tool}");
    };
    check("search", "search", true);
    check("search", "search_all", false);
    check("get_*", "get_", true);
    check("get_*", "get_user", true);
    check("get_*", "forget_user", false);
    check("*_list", "user_list", true);
    check("a*a", "a", false);
    check("a*a", "aa", true);
    check("*", "anything", true);
}

#[test]
fn what_names_no_tool_is_refused() {
    for text in ["", "a*b*", &"x".repeat(257)] {
        assert!(text.parse::<ToolPattern>().is_err(), "{text}");
    }
}
