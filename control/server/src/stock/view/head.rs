//! Header fields: what a request must have for a row of the route table, and what a route changes.
//!
//! In: conditions and edits of the model. Out: matchers and options of Envoy.

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::config::route::v3::HeaderMatcher;
use envoy_types::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use outrigger_model::revision::Revision;
use outrigger_model::tool_pattern::ToolPattern;
use outrigger_model::traffic::{HIDDEN, HeaderEdits, When};

/// Most tools of one route that get rows of their own: Envoy tries its rows one by one.
pub const TOOL_ROWS_MAX: usize = 16;

/// Origins of pages that this machine itself serves, as they begin.
const OWN_ORIGINS: [&str; 3] = ["//localhost", "//127.0.0.1", "//[::1]"];

pub fn of_branch(when: &When) -> Vec<HeaderMatcher> {
    when.headers.iter().map(|(name, value)| matcher(name, MatchPattern::Exact(value.clone()))).collect()
}

/// A call of a tool whose head says so, as it must from 2026-07-28 on.
pub fn tool_call() -> Vec<HeaderMatcher> {
    let revision = MatchPattern::Exact(Revision::V2026_07_28.to_string());
    let method = MatchPattern::Exact("tools/call".to_owned());
    vec![matcher("mcp-protocol-version", revision), matcher("mcp-method", method)]
}

/// A call of one of these tools.
pub fn tool(pattern: &ToolPattern) -> Vec<HeaderMatcher> {
    let name = |pattern| matcher("mcp-name", pattern);
    let mut matchers = tool_call();
    match pattern.as_str().split_once('*') {
        None => matchers.push(name(MatchPattern::Exact(pattern.as_str().to_owned()))),
        Some((start, end)) => {
            let start = (!start.is_empty()).then(|| name(MatchPattern::Prefix(start.to_owned())));
            let end = (!end.is_empty()).then(|| name(MatchPattern::Suffix(end.to_owned())));
            matchers.extend(start.into_iter().chain(end));
        }
    }
    matchers
}

/// That a field is there, whatever it says.
pub fn present(name: &str) -> HeaderMatcher {
    HeaderMatcher {
        name: name.to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::PresentMatch(true)),
        ..Default::default()
    }
}

/// A page of a site elsewhere, which a browser was lured into sending here.
pub fn foreign_origin() -> Vec<HeaderMatcher> {
    let own = OWN_ORIGINS.iter().flat_map(|site| ["http:", "https:"].map(|scheme| format!("{scheme}{site}")));
    let not = |pattern| HeaderMatcher { invert_match: true, ..matcher("origin", pattern) };
    let own = own.flat_map(|site| [not(MatchPattern::Prefix(format!("{site}:"))), not(MatchPattern::Exact(site))]);
    std::iter::once(present("origin")).chain(own).collect()
}

/// Fields to write. A value that this client is not shown is not written.
pub fn written(edits: &HeaderEdits) -> Vec<HeaderValueOption> {
    let set = edits.set.iter().map(|pair| (pair, HeaderAppendAction::OverwriteIfExistsOrAdd));
    let add = edits.add.iter().map(|pair| (pair, HeaderAppendAction::AppendIfExistsOrAdd));
    let shown = set.chain(add).filter(|((_, value), _)| value != HIDDEN);
    let option = |((name, value), action): (&(String, String), HeaderAppendAction)| HeaderValueOption {
        header: Some(HeaderValue {
            key: name.clone(),
            // Envoy reads `%…%` as something to fill in.
            value: value.replace('%', "%%"),
            ..Default::default()
        }),
        append_action: action.into(),
        keep_empty_value: true,
        ..Default::default()
    };
    shown.map(option).collect()
}

/// Fields to take away: also those whose value this client is not shown, because what the caller wrote is not wanted either.
pub fn removed(edits: &HeaderEdits) -> Vec<String> {
    let hidden = edits.set.iter().filter(|(_, value)| value == HIDDEN).map(|(name, _)| name);
    edits.remove.iter().chain(hidden).cloned().collect()
}

fn matcher(name: &str, pattern: MatchPattern) -> HeaderMatcher {
    let text = StringMatcher { match_pattern: Some(pattern), ignore_case: false };
    HeaderMatcher {
        name: name.to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(text)),
        ..Default::default()
    }
}
