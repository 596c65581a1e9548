use super::*;

#[test]
fn a_requirement_reads_back_as_it_was_written() {
    for text in ["weather", "weather ^1.2", "weather >=2.0.0,<3.0.0 eu +fast -beta", "weather eu"] {
        assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
    }
}

#[test]
fn a_dependency_may_give_the_capability_another_local_name() {
    let check = |text: &str, alias: &str, rest: &str| {
        let dependency: Dependency = text.parse().unwrap();
        assert_eq!((dependency.alias.as_str(), dependency.requirement.to_string().as_str()), (alias, rest), "{text}");
    };
    check("weather", "weather", "weather");
    check("forecast=weather ^1.2 +fast", "forecast", "weather ^1.2 +fast");
    check("weather =1.2.0", "weather", "weather =1.2.0");
    check("weather gpu=a100", "weather", "weather gpu=a100");
}

#[test]
fn what_cannot_be_read_is_refused_with_the_part_that_is_wrong() {
    assert!(matches!("".parse::<Requirement>(), Err(BadRequirement::Empty)));
    assert!(matches!("a/b".parse::<Requirement>(), Err(BadRequirement::Name(_))));
    assert!(matches!("weather ^x".parse::<Requirement>(), Err(BadRequirement::Version { .. })));
    assert!(matches!("weather eu -eu".parse::<Requirement>(), Err(BadRequirement::Tag(_))));
}

#[test]
fn a_range_is_written_without_blanks_and_means_the_same() {
    let check = |text: &str, expected: &str| {
        let written = also::RangeText::new(text).unwrap();
        assert_eq!(written.as_str(), expected, "{text}");
        assert_eq!(also::RangeText::new(expected).unwrap(), written, "{expected}");
    };
    check(">= 1.1, < 2 || > 3", ">=1.1,<2||>3");
    check(">=1.1 <2 !=1.2.3", ">=1.1,<2,!=1.2.3");
    check("1.2 - 1.4.5", ">=1.2,<=1.4.5");
    check("1.0.0 - 2.0.0, <=1.9 || 4", ">=1.0.0,<=2.0.0,<=1.9||4");
    check("1.2-3", "1.2-3");
}
