//! Names that are repeated in what a refused caller reads.

use outrigger_model::name::RouteName;

/// Longest piece of a caller's own text that is repeated in an answer.
const ECHO_CHARS_MAX: usize = 128;
/// Most routes named in a hint.
const ROUTES_NAMED_MAX: usize = 20;

/// What callers can ask for, cut.
pub(super) fn name_routes(routes: &[RouteName]) -> String {
    if routes.is_empty() {
        return "no routes are known yet; `outrigger get agents` shows who registered".to_owned();
    }
    let mut text = String::from("routes are ");
    for (at, route) in routes.iter().take(ROUTES_NAMED_MAX).enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        text.push('/');
        text.push_str(route.as_str());
        text.push_str("/mcp");
    }
    if routes.len() > ROUTES_NAMED_MAX {
        text.push_str(", …");
    }
    text
}

/// A caller's own text, cut and without control characters.
pub(super) fn echo(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(ECHO_CHARS_MAX).collect()
}
