use super::*;

fn three() -> Shared<&'static str, u8> {
    [("a", 1), ("b", 2), ("c", 3)].into_iter().collect()
}

fn differences(now: &Shared<&'static str, u8>, before: &Shared<&'static str, u8>) -> Vec<(&'static str, Option<u8>)> {
    now.changed_since(before).map(|(key, value)| (*key, value.copied())).collect()
}

#[test]
fn a_copy_is_the_same_allocation_until_it_is_changed() {
    let before = three();
    let mut after = before.clone();
    assert!(after.is_same(&before));
    assert_eq!(after.remove("z"), None);
    assert!(after.is_same(&before), "nothing was removed");
    after.insert("b", 9);
    assert!(!after.is_same(&before));
    assert_eq!((before["b"], after["b"]), (2, 9), "who has the other copy sees nothing of it");
    assert!(std::ptr::eq(&before["a"], &after["a"]), "what did not change is still shared");
}

#[test]
fn what_differs_is_told_in_order_and_nothing_else() {
    let before = three();
    let mut after = before.clone();
    assert_eq!(differences(&after, &before), []);
    after.insert("b", 9);
    after.insert("bb", 4);
    after.remove("a");
    after.insert("d", 5);
    assert_eq!(differences(&after, &before), [("a", None), ("b", Some(9)), ("bb", Some(4)), ("d", Some(5))]);
    assert_eq!(differences(&before, &after), [("a", Some(1)), ("b", Some(2)), ("bb", None), ("d", None)]);
    let nothing = Shared::default();
    assert_eq!(differences(&nothing, &before), [("a", None), ("b", None), ("c", None)]);
    assert_eq!(differences(&before, &nothing), [("a", Some(1)), ("b", Some(2)), ("c", Some(3))]);
}

#[test]
fn maps_are_equal_by_content() {
    let mut other = three();
    assert!(other == three() && !other.is_same(&three()));
    other.insert("a", 9);
    assert_ne!(other, three());
    assert_eq!(other.values().copied().collect::<Vec<_>>(), [9, 2, 3]);
}
