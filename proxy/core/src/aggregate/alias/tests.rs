use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};

use super::{ALIAS_CHARS_MAX, Aliases, alias, split};

#[test]
fn short_and_plain_names_are_joined_as_they_are() {
    assert_eq!(alias("weather", "get_forecast"), "weather__get_forecast");
    assert_eq!(alias("weather", "_private"), "weather___private");
    assert_eq!(split("weather___private"), Some(("weather", "_private")));
}

#[test]
fn names_that_could_be_taken_apart_in_two_ways_do_not_meet() {
    let pairs = [("a__b", "c"), ("a", "b__c"), ("a_", "_b"), ("a", "__b"), ("a_", "b")];
    let aliases: Vec<String> = pairs.iter().map(|(agent, name)| alias(agent, name)).collect();
    for (at, one) in aliases.iter().enumerate() {
        assert!(aliases.iter().skip(at + 1).all(|other| other != one), "{aliases:?}");
    }
    let table = Aliases::of(pairs);
    for ((agent, name), text) in pairs.iter().zip(&aliases) {
        assert_eq!(table.owner(text), Some((*agent, *name)));
    }
}

#[test]
fn what_is_no_alias_has_no_owner() {
    for text in ["", "weather", "__x", "x__", "a_b-0123456789abcdef"] {
        assert_eq!(Aliases::default().owner(text), None, "{text}");
    }
}

fn agents() -> impl Strategy<Value = String> {
    prop::string::string_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,70}|[ab]_{0,3}[ab]?").expect("a pattern")
}

fn names() -> impl Strategy<Value = String> {
    prop::string::string_regex("[A-Za-z0-9_./-]{1,90}|_{0,3}[ab]{1,2}|.{1,20}").expect("a pattern")
}

proptest! {
    #[test]
    fn aliases_are_short_legal_and_lead_back(pairs in prop::collection::btree_set((agents(), names()), 1..40)) {
        let table = Aliases::of(pairs.iter().map(|(agent, name)| (agent.as_str(), name.as_str())));
        let mut seen = std::collections::BTreeSet::new();
        for (agent, name) in &pairs {
            let text = table.alias(agent, name);
            prop_assert!((1..=ALIAS_CHARS_MAX).contains(&text.len()), "{}", text);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{}", text);
            prop_assert_eq!(table.owner(&text), Some((agent.as_str(), name.as_str())));
            prop_assert!(seen.insert(text));
        }
    }

    #[test]
    fn an_alias_stays_when_agents_come_and_go(
        pairs in prop::collection::btree_set((agents(), names()), 1..20),
        more in prop::collection::btree_set((agents(), names()), 0..20),
    ) {
        let text = |(agent, name): &(String, String)| (agent.clone(), name.clone());
        let few: Vec<_> = pairs.iter().map(text).collect();
        let all: Vec<_> = pairs.iter().chain(&more).map(text).collect();
        let table = |pairs: &[(String, String)]| Aliases::of(pairs.iter().map(|(a, n)| (a.as_str(), n.as_str())));
        for (agent, name) in &few {
            prop_assert_eq!(table(&few).alias(agent, name), table(&all).alias(agent, name));
        }
    }
}
