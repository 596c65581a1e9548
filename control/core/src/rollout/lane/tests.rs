use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;

fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn share(share: u8) -> Membership {
    Membership { share, ..Membership::default() }
}

fn labelled(pair: &str) -> Labels {
    Labels::parse([pair.split_once('=').unwrap()]).unwrap()
}

proptest! {
    #[test]
    fn a_wider_share_has_everybody_of_a_narrower_one(name in "[a-z][a-z0-9-]{0,20}", a in 0..=100u8, b in 0..=100u8) {
        let (narrow, wide) = (share(a.min(b)), share(a.max(b)));
        let (node, labels) = (node(&name), Labels::default());
        prop_assert!(!narrow.contains(&node, &labels) || wide.contains(&node, &labels));
        prop_assert!(share(100).contains(&node, &labels));
        prop_assert!(!share(0).contains(&node, &labels));
    }

    #[test]
    fn a_share_of_few_proxies_has_one_of_them_and_widening_keeps_it(count in 1..20usize, a in 1..=100u8, b in 1..=100u8, seed in any::<u16>()) {
        let proxies: BTreeSet<_> = (0..count).map(|at| (node(&format!("p-{seed}-{at}")), Labels::default())).collect();
        let narrow = share(a.min(b)).with_lead(&proxies);
        let wide = Membership { share: a.max(b), ..narrow.clone() }.with_lead(&proxies);
        let members = |lane: &Membership| {
            proxies.iter().filter(|(node, labels)| lane.contains(node, labels)).cloned().collect::<BTreeSet<_>>()
        };
        prop_assert!(!members(&narrow).is_empty());
        prop_assert!(members(&narrow).is_subset(&members(&wide)));
        prop_assert_eq!(members(&share(100)).len(), count);
    }
}

#[test]
fn a_share_is_about_as_large_as_it_says() {
    let names: Vec<NodeId> = (0..10_000).map(|number| node(&format!("proxy-{number}"))).collect();
    for percent in [1, 10, 50, 99] {
        let lane = share(percent);
        let members = names.iter().filter(|name| lane.contains(name, &Labels::default())).count();
        let wanted = usize::from(percent) * 100;
        assert!(members.abs_diff(wanted) < 150, "{members} of 10,000 are {percent} %");
    }
}

#[test]
fn labels_pick_whom_they_match_beside_the_share() {
    let lane = Membership { selector: Some("track=canary".parse().unwrap()), ..Membership::default() };
    assert_eq!(lane.lane(&node("a"), &labelled("track=canary")), Lane::Canary);
    assert_eq!(lane.lane(&node("a"), &labelled("track=stable")), Lane::Main);
    let proxies = BTreeSet::from([(node("a"), Labels::default())]);
    assert_eq!(lane.clone().with_lead(&proxies), lane, "nobody goes first where no share is asked for");
    assert_eq!(Membership::default().lane(&node("a"), &labelled("track=canary")), Lane::Main);
}
