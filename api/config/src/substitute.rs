//! `${VAR}` and `${VAR:-default}` in values become the values of variables.
//!
//! In: a parsed tree, so that a variable can never add keys. Out: the tree with plain texts.
//! `$${` stands for a literal `${`; a set but empty variable takes the default, as in a shell.

use crate::environment::Environment;
use crate::error::{ConfigError, Place};
use crate::node::{Kind, Node, Style};

/// Replaces variables in all scalars of the tree.
pub(crate) fn substitute(node: &mut Node, environment: &Environment) -> Result<(), ConfigError> {
    match &mut node.kind {
        Kind::Scalar { text, style } => {
            if text.contains("${") {
                *text = replace(text, &node.place, environment)?;
                *style = Style::Substituted;
            }
            Ok(())
        }
        Kind::List(nodes) => nodes.iter_mut().try_for_each(|node| substitute(node, environment)),
        Kind::Map(entries) => entries.iter_mut().try_for_each(|entry| substitute(&mut entry.value, environment)),
    }
}

fn replace(text: &str, place: &Place, environment: &Environment) -> Result<String, ConfigError> {
    let syntax = |detail: String| ConfigError::Syntax { place: place.clone(), detail };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(literal) = before.strip_suffix('$') {
            out.push_str(literal);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let Some((inside, remainder)) = after.split_once('}') else {
            return Err(syntax("`${` is never closed by `}`; write `$${` for the characters themselves".to_owned()));
        };
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_variable_name(name) {
            return Err(syntax(format!(
                "`${{{inside}}}` does not name a variable; write ${{NAME}} or ${{NAME:-default}}"
            )));
        }
        match (environment.variable(name), default) {
            (Some(""), Some(default)) | (None, Some(default)) => out.push_str(default),
            (Some(value), _) => out.push_str(value),
            (None, None) => {
                return Err(ConfigError::MissingVariable { place: place.clone(), name: name.to_owned() });
            }
        }
        rest = remainder;
    }
    out.push_str(rest);
    Ok(out)
}

fn is_variable_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
