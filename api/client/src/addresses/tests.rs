use super::*;

fn addresses(seed: u64) -> Addresses {
    let all = ["a:1", "b:1", "c:1"].map(str::to_owned).to_vec();
    Addresses::new(all, &mut fastrand::Rng::with_seed(seed)).unwrap()
}

#[test]
fn one_is_kept_until_it_fails_and_all_are_tried_before_one_is_tried_again() {
    let mut addresses = addresses(1);
    let first = addresses.current().to_owned();
    assert_eq!(addresses.current(), first);
    let mut tried = vec![];
    for _ in 0..3 {
        tried.push(addresses.current().to_owned());
        addresses.next();
    }
    assert_eq!(addresses.current(), first);
    tried.sort();
    assert_eq!(tried, ["a:1", "b:1", "c:1"]);
}

#[test]
fn proxies_begin_at_different_ones() {
    let mut first: Vec<String> = (0..40).map(|seed| addresses(seed).current().to_owned()).collect();
    first.sort();
    first.dedup();
    assert_eq!(first, ["a:1", "b:1", "c:1"]);
}

#[test]
fn the_one_that_leads_is_gone_to_if_it_is_of_the_list() {
    let mut addresses = addresses(1);
    for named in ["c:1", "a:1", "b:1"] {
        addresses.go_to(named);
        assert_eq!(addresses.current(), named);
    }
    addresses.go_to("evil:1");
    assert_ne!(addresses.current(), "b:1", "another of the list is tried");
    assert!(["a:1", "c:1"].contains(&addresses.current()));
}

#[test]
fn without_an_address_there_is_nothing_to_use() {
    assert!(Addresses::new(vec![], &mut fastrand::Rng::with_seed(1)).is_none());
}
