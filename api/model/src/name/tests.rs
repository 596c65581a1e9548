use super::*;

#[test]
fn a_name_holds_letters_digits_dots_dashes_and_underscores() {
    for good in ["a", "7", "weather", "get_forecast", "io.example.tool-2", &"x".repeat(128)] {
        assert_eq!(AgentName::new(good).unwrap().as_str(), good);
    }
}

#[test]
fn a_name_that_could_leave_its_path_segment_is_refused() {
    for bad in ["", "-a", "..", "a/b", "a b", "a%2f", "ä", "a\n", &"x".repeat(129)] {
        assert!(AgentName::new(bad).is_err(), "{bad:?} was accepted");
    }
}

#[test]
fn a_refusal_says_which_kind_of_name_was_wrong() {
    let error = PoolName::new("a b").unwrap_err();
    assert!(error.to_string().starts_with("pool name `a b` must start"), "{error}");
}
