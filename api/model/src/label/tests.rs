use super::*;

fn labels(pairs: &[(&str, &str)]) -> Result<Labels, BadLabel> {
    Labels::parse(pairs.iter().copied())
}

#[test]
fn a_label_is_what_kubernetes_takes_for_one() {
    let check = |name: &str, value: &str, is_good: bool| {
        assert_eq!(labels(&[(name, value)]).is_ok(), is_good, "{name}={value}");
    };
    check("track", "canary", true);
    check("track", "", true);
    check("app.kubernetes.io/name", "weather_2.0", true);
    check("a", "B", true);
    check("", "x", false);
    check("-a", "x", false);
    check("a-", "x", false);
    check("a b", "x", false);
    check("/a", "x", false);
    check("A.io/a", "x", false);
    check("a..io/a", "x", false);
    check("a/b/c", "x", false);
    check(&"n".repeat(63), &"v".repeat(63), true);
    check(&"n".repeat(64), "x", false);
    check("a", &"v".repeat(64), false);
    check("a", "-v", false);
    check("a", "ü", false);
}

#[test]
fn labels_are_bounded_and_each_is_given_once() {
    let many: Vec<(String, String)> = (0..17).map(|number| (format!("n{number}"), String::new())).collect();
    assert_eq!(Labels::parse(many.iter().map(|(name, value)| (name, value))), Err(BadLabel::Many));
    assert!(Labels::parse(many.iter().take(16).map(|(name, value)| (name, value))).is_ok());
    assert_eq!(labels(&[("a", "1"), ("a", "2")]), Err(BadLabel::Twice("a".to_owned())));
}

#[test]
fn a_selector_asks_for_all_of_its_labels() {
    let held = labels(&[("track", "canary"), ("zone", "eu"), ("empty", "")]).unwrap();
    let check = |text: &str, is_match: bool| {
        assert_eq!(text.parse::<Selector>().unwrap().matches(&held), is_match, "{text}");
    };
    check("track=canary", true);
    check("track=canary, zone=eu", true);
    check("empty=", true);
    check("track=stable", false);
    check("track=canary,zone=us", false);
    check("other=canary", false);
    for bad in ["", "track", "track=canary,", "=x", "track==x", "a=1,a=1"] {
        assert!(bad.parse::<Selector>().is_err(), "{bad}");
    }
    assert_eq!("zone=eu,track=canary".parse::<Selector>().unwrap().to_string(), "track=canary,zone=eu");
}
