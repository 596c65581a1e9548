use outrigger_model::resource::ResourceKind::{Pool, Route};

use super::*;
use crate::publish::fixture::Desk;

/// `+Route/a ~Pool/b -Route/c`
fn text(touches: &[Touch]) -> String {
    let one = |touch: &Touch| {
        let sign = match touch.op {
            Op::Added => '+',
            Op::Changed => '~',
            Op::Removed => '-',
        };
        format!("{sign}{}/{}", touch.kind, touch.name)
    };
    touches.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_differs_is_sorted_by_kind_and_name_and_the_rest_is_not_told() {
    let mut desk = Desk::open();
    let first = desk.put(Route, "a", "1").put(Route, "c", "1").put(Pool, "b", "1").put(Pool, "same", "1").publish();
    assert_eq!(text(&whole(&first)), "+Pool/b +Pool/same +Route/a +Route/c");
    let second = desk.put(Route, "b", "1").put(Route, "a", "2").take(Route, "c").put(Pool, "b", "2").publish();
    assert_eq!(text(&between(&first, &second)), "~Pool/b ~Route/a +Route/b -Route/c");
    assert_eq!(text(&between(&second, &second)), "");
}

#[test]
fn what_went_has_the_version_that_it_had_last() {
    let mut desk = Desk::open();
    let first = desk.put(Route, "a", "1").publish();
    let second = desk.take(Route, "a").publish();
    let token = first.routes.token("a").unwrap();
    assert_eq!(between(&first, &second)[0].token, token);
}

#[test]
fn the_ledger_knows_what_went_while_nobody_looked() {
    let mut desk = Desk::open();
    desk.put(Route, "a", "1").put(Route, "gone", "1").publish();
    desk.take(Route, "gone").put(Route, "new", "1");
    desk.restart(false);
    let before = desk.before().unwrap();
    assert_eq!(text(&since_ledger(before, &desk.newest())), "-Route/gone +Route/new");
}

#[test]
fn several_steps_are_one_in_which_nothing_happens_twice() {
    let mut desk = Desk::open();
    let editions = [
        desk.put(Route, "stays", "1").put(Route, "goes", "1").put(Route, "returns", "1").publish(),
        desk.put(Route, "comes", "1").put(Route, "flashes", "1").take(Route, "returns").publish(),
        desk.put(Route, "comes", "2").take(Route, "flashes").take(Route, "goes").put(Route, "stays", "2").publish(),
        desk.put(Route, "returns", "2").publish(),
    ];
    let steps: Vec<_> = editions.windows(2).map(|pair| between(&pair[0], &pair[1])).collect();
    let merged = merged(steps.iter().map(Vec::as_slice));
    assert_eq!(text(&merged), "+Route/comes -Route/goes ~Route/returns ~Route/stays");
    assert_eq!(merged, between(&editions[0], &editions[3]));
}
