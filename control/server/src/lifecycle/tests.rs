use super::*;

#[test]
fn control_is_ready_when_all_parts_are_up_and_until_it_stops() {
    let lifecycle = Lifecycle::default();
    let (store, grpc) = (lifecycle.announce("store"), lifecycle.announce("grpc"));
    store.up();
    assert!(!lifecycle.has_started());
    assert_eq!(lifecycle.waits_for(), ["grpc"]);
    grpc.up();
    assert!(lifecycle.is_ready());
    lifecycle.stop();
    assert!(lifecycle.has_started() && !lifecycle.is_ready());
}

#[test]
fn a_part_that_gave_up_keeps_control_from_being_ready() {
    let lifecycle = Lifecycle::default();
    drop(lifecycle.announce("store"));
    assert!(!lifecycle.is_ready());
}
