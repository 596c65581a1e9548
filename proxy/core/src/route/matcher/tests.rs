use outrigger_model::traffic::When;

use super::fits;
use crate::http1::written::fields;
use crate::mcp::facts::Caller;

const DESK: &str = "spiffe://mesh.local/agent/desk";

fn when(headers: &[(&str, &str)], callers: &[&str]) -> When {
    When {
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        callers: callers.iter().map(|caller| (*caller).to_owned()).collect(),
    }
}

#[test]
fn all_that_is_said_has_to_hold_and_nothing_said_holds_always() {
    let head = [("X-Env", "staging"), ("x-team", "blue"), ("x-team", "red"), ("host", "127.0.0.1")];
    let check = |headers: &[(&str, &str)], callers: &[&str], caller: &str, expected: bool| {
        let fits = fits(&when(headers, callers), &fields(&head), &Caller::new(caller));
        assert_eq!(fits, expected, "{headers:?} {callers:?} {caller}");
    };
    check(&[], &[], "", true);
    check(&[("x-env", "staging")], &[], "", true);
    check(&[("x-env", "Staging")], &[], "", false);
    check(&[("x-env", "stag")], &[], "", false);
    check(&[("x-team", "red")], &[], "", true);
    check(&[("x-env", "staging"), ("x-team", "green")], &[], "", false);
    check(&[("x-missing", "")], &[], "", false);
    check(&[], &["desk", "planner"], DESK, true);
    check(&[], &[DESK], DESK, true);
    check(&[], &["desk"], "desk", true);
    check(&[], &["des", "esk", "agent/desk"], DESK, false);
    check(&[], &["desk"], "spiffe://mesh.local/agent/desk/desk", false);
    check(&[], &["desk"], "spiffe://mesh.local/node/desk", false);
    check(&[("x-env", "staging")], &["planner"], DESK, false);
}
