//! Whose a resource is.
//!
//! In: what agents listed, in the order of the merged list, and a URI. Out: the agent to ask.
//! Order: who listed exactly this URI; then the template that matches with the most literal text; among equals who stands first.
//! Source: RFC 6570. Matching is wider than expansion: `{x}` is any text without a slash, an operator makes it any text.
//! Invariant: time grows with the product of both lengths and no faster.

/// The agent that answers for `uri`.
pub fn owner<'a>(
    listed: impl IntoIterator<Item = (&'a str, &'a str)>,
    templates: impl IntoIterator<Item = (&'a str, &'a str)>,
    uri: &str,
) -> Option<&'a str> {
    if let Some((agent, _)) = listed.into_iter().find(|(_, known)| *known == uri) {
        return Some(agent);
    }
    let mut best: Option<(usize, &str)> = None;
    for (agent, template) in templates {
        let weight = literal(template);
        if best.is_none_or(|(most, _)| weight > most) && matches(template, uri) {
            best = Some((weight, agent));
        }
    }
    best.map(|(_, agent)| agent)
}

/// Bytes of a template that stand for themselves.
fn literal(template: &str) -> usize {
    parts(template).map(|part| if let Part::Literal(text) = part { text.len() } else { 0 }).sum()
}

#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Literal(&'a str),
    /// `{x}`
    Segment,
    /// `{+x}`, `{/x}`, `{?x}` and their like.
    Anything,
}

fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let expression = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        if let Some((inside, behind)) = expression {
            rest = behind;
            return Some(if inside.starts_with(['+', '#', '.', '/', ';', '?', '&']) {
                Part::Anything
            } else {
                Part::Segment
            });
        }
        // A brace that is never closed stands for itself.
        let skip = usize::from(rest.starts_with('{'));
        let end = rest.get(skip..).and_then(|inner| inner.find('{')).map_or(rest.len(), |at| at + skip);
        let (text, behind) = rest.split_at_checked(end)?;
        rest = behind;
        Some(Part::Literal(text))
    })
}

fn matches(template: &str, uri: &str) -> bool {
    let bytes = uri.as_bytes();
    // Which beginnings of the URI the parts so far can stand for.
    let mut reached = vec![false; bytes.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for part in parts(template) {
        let mut next = vec![false; bytes.len() + 1];
        match part {
            Part::Literal(text) => {
                for (at, _) in reached.iter().enumerate().filter(|(_, is)| **is) {
                    if bytes.get(at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
                        && let Some(end) = next.get_mut(at + text.len())
                    {
                        *end = true;
                    }
                }
            }
            Part::Segment | Part::Anything => {
                let any = matches!(part, Part::Anything);
                let mut open = false;
                for (at, is) in reached.iter().enumerate() {
                    let slash = at > 0 && bytes.get(at - 1) == Some(&b'/');
                    open &= any || !slash;
                    if let Some(end) = next.get_mut(at) {
                        *end = open || (any && *is);
                    }
                    open |= *is;
                }
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests;
