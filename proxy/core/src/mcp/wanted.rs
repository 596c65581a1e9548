//! What is looked for in the bodies of requests, beside the outside of their messages.
//!
//! In: the keys of a route. Out: [`Wants`] for a scanner; and its values by what they are.
//! Invariant: the state of a call stands first, then the arguments in the order of their keys.

use outrigger_model::digest::Digest;
use outrigger_model::key::KeySource;
use outrigger_model::revision::Era;

use crate::mcp::envelope::probe::{Take, Values, Want, Wants};

static STATE: [Want; 1] = [Want::fixed(&["params", "requestState"], Take::Digest)];

/// Of a route with keys in bodies; none where it has none there.
pub fn of_route(keys: &[KeySource]) -> Option<Wants> {
    let paths = keys.iter().filter_map(|source| match source {
        KeySource::Argument(key) => Some(key.path()),
        KeySource::Header(_) | KeySource::Param(_) | KeySource::Cookie(_) => None,
    });
    let want = |path: &[String]| {
        let path = ["params", "arguments"].into_iter().chain(path.iter().map(String::as_str));
        Want::new(path.map(str::to_owned).collect(), Take::Digest)
    };
    let arguments: Vec<Want> = paths.map(want).collect();
    (!arguments.is_empty()).then(|| Wants::Shared(STATE.iter().cloned().chain(arguments).collect()))
}

/// Where the route has no keys in bodies.
pub fn of_protocol(era: Option<Era>) -> Wants {
    if era == Some(Era::Modern) { Wants::Fixed(&STATE) } else { Wants::NONE }
}

/// `params.requestState`.
pub fn state(values: &Values) -> Option<Digest> {
    values.digest(0)
}

/// The argument of so many a key, counted from 0 over the keys in bodies.
pub fn argument(values: &Values, number: usize) -> Option<Digest> {
    values.digest(number + 1)
}

/// Whether a body that is not read may hold the state of a call. A cheap look: what it finds may stand anywhere, and a key that is spelled
/// with escapes is not found.
pub fn mentions_state(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"\"requestState\"").is_some()
}
