use super::*;

#[test]
fn every_kind_of_finding_is_documented() {
    let document = include_str!("../../../../../docs/intent.md");
    for kind in FindingKind::ALL {
        assert!(document.contains(&format!("`{}`", kind.as_str())), "{} is not in docs/intent.md", kind.as_str());
    }
}

#[test]
fn what_has_an_error_is_not_published_and_everything_else_is() {
    for kind in FindingKind::ALL {
        let plan = Plan::refused(1, Finding::new(kind, "routes[a]", "something"));
        assert_eq!(plan.is_good(), kind.severity() != Severity::Error, "{}", kind.as_str());
    }
}
