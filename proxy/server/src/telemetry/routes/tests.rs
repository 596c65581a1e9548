use super::*;

fn table() -> RouteTable {
    RouteTable::new(&Metrics::default(), Direction::Outbound)
}

fn name_of(table: &RouteTable, route: &str) -> String {
    table.with(Some(route), |meters| meters.labels.route.to_string())
}

#[test]
fn a_name_keeps_its_meters_and_soon_takes_no_lock() {
    let table = table();
    for number in 0..1_000 {
        assert_eq!(name_of(&table, &format!("route-{number}")), format!("route-{number}"));
    }
    for _ in 0..2_000 {
        name_of(&table, "route-999");
    }
    assert!(table.known.load().contains_key("route-999"));
}

#[test]
fn names_above_the_limit_share_their_meters_and_are_remembered_too() {
    let table = table();
    for number in 0..ROUTES_MAX + 10 {
        name_of(&table, &number.to_string());
    }
    let last = (ROUTES_MAX + 9).to_string();
    assert_eq!(name_of(&table, &last), OTHER);
    for _ in 0..2 * ROUTES_MAX {
        name_of(&table, &last);
    }
    assert!(table.known.load().contains_key(last.as_str()));
    for number in 0..2 * NAMES_MAX {
        name_of(&table, &format!("more-{number}"));
    }
    let held = table.known.load().len() + table.fresh.lock().unwrap().meters.len();
    assert!(held <= 2 * NAMES_MAX, "{held}");
}

#[test]
fn the_first_use_of_many_names_copies_each_only_a_few_times() {
    let table = table();
    let mut copied = 0;
    let mut before = table.known.load_full();
    for number in 0..ROUTES_MAX {
        name_of(&table, &number.to_string());
        let after = table.known.load_full();
        if !Arc::ptr_eq(&before, &after) {
            copied += after.len();
        }
        before = after;
    }
    assert!(copied <= 4 * ROUTES_MAX, "{copied}");
}
