use super::*;

fn plan(selector: Option<&str>, shares: Option<&[u8]>) -> Result<Plan, BadPlan> {
    let selector = selector.map(|text| text.parse().unwrap());
    Plan::new(selector, shares.map(<[u8]>::to_vec), Gate::default(), false)
}

#[test]
fn shares_grow_and_there_is_a_step() {
    let check = |shares: &[u8], expected: &str| {
        assert_eq!(plan(None, Some(shares)).unwrap_err().to_string(), expected, "{shares:?}");
    };
    check(&[], "steps: there is none, and no `labels`");
    check(&[0], "steps: they must grow, each 1 to 100; 0 is not after 0");
    check(&[10, 10], "steps: they must grow, each 1 to 100; 10 is not after 10");
    check(&[101], "steps: they must grow, each 1 to 100; 101 is not after 0");
    check(&(1..=17).collect::<Vec<_>>(), "steps: 17 are more than 16");
    assert_eq!(plan(None, None).unwrap().shares(), SHARES_DEFAULT);
}

#[test]
fn labels_come_first_and_shares_after_them() {
    let labels_only = plan(Some("track=canary"), None).unwrap();
    assert_eq!((labels_only.steps(), labels_only.membership(0).share), (1, 0));
    let both = plan(Some("track=canary"), Some(&[10, 100])).unwrap();
    let shares: Vec<u8> = (0..4).map(|step| both.membership(step).share).collect();
    assert_eq!((both.steps(), shares), (3, vec![0, 10, 100, 100]));
    assert!((0..3).all(|step| both.membership(step).selector.is_some()));
    let shares: Vec<u8> = (0..4).map(|step| plan(None, None).unwrap().membership(step).share).collect();
    assert_eq!(shares, SHARES_DEFAULT);
}

#[test]
fn a_gate_holds_only_numbers_that_mean_something() {
    let check = |gate: Gate, expected: BadPlan| assert_eq!(Plan::new(None, None, gate, false), Err(expected));
    let usual = Gate::default();
    check(Gate { soak: WAIT_MAX * 2, ..usual }, BadPlan::Long("soak_seconds"));
    check(Gate { patience: WAIT_MAX * 2, ..usual }, BadPlan::Long("patience_seconds"));
    check(Gate { error_increase_max: 10_001, ..usual }, BadPlan::Ratio);
    check(Gate { slow_factor_max: Some(99), ..usual }, BadPlan::Factor);
}
