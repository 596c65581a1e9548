use super::*;

fn target(text: &str) -> Target {
    let (kind, name) = text.split_once(' ').unwrap();
    Target::parse(kind, name).unwrap()
}

fn revoked(text: &str, at: u64) -> Revoked {
    Revoked { target: target(text), at, reason: "stolen".to_owned() }
}

#[test]
fn what_is_revoked_stands_in_the_snapshot_with_its_moment() {
    let all = ["session 0123456789abcdef", "caller spiffe://mesh/agent/planner", "agent weather"];
    let book = Book::restore(all.into_iter().map(|text| revoked(text, 7)));
    let shown = book.revocations();
    assert_eq!(shown.sessions.get(&"0123456789abcdef".parse().unwrap()), Some(&7));
    assert_eq!(shown.callers.get("spiffe://mesh/agent/planner"), Some(&7));
    assert_eq!(shown.agents.len(), 1);
    assert_eq!(book.iter().map(|(target, ..)| target.to_string()).collect::<Vec<_>>(), all);
}

#[test]
fn the_later_of_two_of_one_target_counts_and_the_same_again_changes_nothing() {
    let mut book = Book::default();
    assert_eq!(book.add(revoked("agent weather", 7)), Ok(true));
    assert_eq!(book.add(revoked("agent weather", 7)), Ok(false));
    assert_eq!(book.add(revoked("agent weather", 9)), Ok(true));
    assert_eq!(book.add(revoked("agent weather", 8)), Ok(false));
    assert_eq!(book.get(&target("agent weather")), Some(revoked("agent weather", 9)));
}

#[test]
fn what_is_too_old_leaves() {
    let mut book = Book::restore([revoked("agent weather", 7), revoked("caller planner", 9)]);
    assert_eq!(book.forget_before(9), [target("agent weather")]);
    assert_eq!(book.iter().count(), 1);
    assert_eq!(book.forget_before(10), [target("caller planner")]);
    assert!(book.revocations().is_empty());
}

#[test]
fn a_full_book_says_so_and_still_takes_what_it_knows() {
    let caller = |number: usize| revoked(&format!("caller {number}"), 1);
    let mut book = Book::restore((0..REVOCATIONS_MAX).map(caller));
    assert_eq!(book.add(revoked("caller one-more", 1)), Err(Full));
    assert_eq!(book.add(revoked("caller 17", 2)), Ok(true));
    assert_eq!(book.add(revoked("agent weather", 1)), Ok(true), "each kind has a bound of its own");
    book.forget_before(2);
    assert_eq!(book.add(revoked("caller one-more", 2)), Ok(true));
}

#[test]
fn callers_with_long_names_are_bounded_by_their_bytes() {
    let caller =
        |number: usize| Revoked { target: Target::Caller(format!("{number:02048}")), at: 1, reason: String::new() };
    let book = Book::restore((0..REVOCATIONS_MAX).map(caller));
    assert_eq!(book.iter().count(), CALLERS_BYTES_MAX / CALLER_BYTES_MAX);
}

#[test]
fn a_target_that_cannot_be_is_refused() {
    let check = |kind: &str, name: &str, expected: BadTarget| assert_eq!(Target::parse(kind, name), Err(expected));
    check("session", "0123", BadTarget::Session);
    check("caller", "", BadTarget::Caller);
    check("caller", "a\nb", BadTarget::Caller);
    check("agent", "Not A Name", BadTarget::Agent);
    check("tool", "x", BadTarget::Kind("tool".to_owned()));
}
