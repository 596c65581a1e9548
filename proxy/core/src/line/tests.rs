use super::Line;

#[test]
fn callers_take_turns_however_much_one_of_them_wants() {
    let mut line = Line::default();
    (0..5).for_each(|number| line.join(1, ("greedy", number)));
    line.join(2, ("modest", 0));
    line.join(3, ("late", 0));
    let order: Vec<_> = std::iter::from_fn(|| line.call_next()).collect();
    assert_eq!(
        order,
        [("greedy", 0), ("modest", 0), ("late", 0), ("greedy", 1), ("greedy", 2), ("greedy", 3), ("greedy", 4)]
    );
    assert_eq!(line.count(), 0);
}

#[test]
fn who_leaves_is_not_called() {
    let mut line = Line::default();
    [1, 1, 2].into_iter().zip(["a", "b", "c"]).for_each(|(who, name)| line.join(who, name));
    assert!(line.leave(1, |name| *name == "a") && !line.leave(1, |name| *name == "a"));
    assert!(line.leave(2, |_| true));
    assert_eq!((line.count(), line.call_next(), line.call_next()), (1, Some("b"), None));
}
