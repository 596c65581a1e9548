use outrigger_model::resource::{Epoch, Serial};
use outrigger_wire::body::Bodies;

use super::*;
use crate::fixtures;

fn holding(bodies: &Bodies) -> Holding {
    let mut holding = Holding::default();
    for body in bodies.iter() {
        let held = Held { token: Token::new(Epoch(1), Serial(1), &body.digest), body: body.clone() };
        holding.edit(body.kind, |kind| drop(kind.insert(held.body.name.clone(), held)));
    }
    holding
}

#[test]
fn parts_are_those_of_what_is_held_after_every_edit() {
    assert_eq!(Holding::default().parts(), Bodies::default().parts());
    let mut mesh = outrigger_model::snapshot::Kinds::default();
    fixtures::add(&mut mesh, "weather", 1);
    fixtures::add(&mut mesh, "clock", 1);
    let mut bodies = Bodies::of(&mesh);
    let mut holding = holding(&bodies);
    assert_eq!(holding.parts(), bodies.parts());
    holding.edit(ResourceKind::Route, |routes| drop(routes.remove("clock")));
    assert_ne!(holding.parts(), bodies.parts());
    bodies.remove(ResourceKind::Route, "clock");
    assert_eq!(holding.parts(), bodies.parts());
    holding.edit(ResourceKind::Route, |routes| drop(routes.remove("weather")));
    bodies.remove(ResourceKind::Route, "weather");
    assert_eq!(holding.parts(), bodies.parts(), "a kind of which nothing is left is like one that never was");
}
