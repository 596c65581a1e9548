//! Fills the places of a configuration: `@NAME@` becomes a value.
//!
//! Invariant: no place is left open, so a misspelt one is an error here and not a riddle of the peer.

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}: `{1}` has no value")]
pub struct OpenPlace(pub String, pub String);

pub fn fill(name: &str, text: &str, values: &[(&str, String)]) -> Result<String, OpenPlace> {
    let mut filled = text.to_owned();
    for (place, value) in values {
        filled = filled.replace(&format!("@{place}@"), value);
    }
    // What stands between any two signs may be a place; the last piece has no second sign.
    let mut pieces = filled.split('@').skip(1).peekable();
    while let Some(word) = pieces.next() {
        if is_place(word) && pieces.peek().is_some() {
            return Err(OpenPlace(name.to_owned(), word.to_owned()));
        }
    }
    Ok(filled)
}

fn is_place(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

#[cfg(test)]
mod tests;
