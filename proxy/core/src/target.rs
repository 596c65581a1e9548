//! What the path of a request asks for.
//!
//! In: a path. Out: a [`Target`], or nothing if the path is none of ours.
//! Forms: `/mcp`, `/{name}/mcp`, `/agents/{id}/mcp`, each with or without a slash at its end. `/{name}/sse` is the same as
//! `/{name}/mcp`, because clients of 2024-11-05 are commonly given a URL that ends so.
//! Invariant: names are compared as they stand; nothing is percent-decoded, because no valid name needs it.

/// Who is called, as the caller wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// `/{name}/mcp`: a route.
    Route(&'a str),
    /// `/agents/{id}/mcp`: a replica or an agent.
    Agent(&'a str),
    /// `/mcp`: everything at once.
    Everything,
}

impl<'a> Target<'a> {
    pub fn from_path(path: &'a str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        if path == "mcp" {
            return Some(Self::Everything);
        }
        let front = path.strip_suffix("/mcp").or_else(|| path.strip_suffix("/sse"))?;
        Self::from_front(front)
    }

    /// Reads `name` or `agents/id`, with a note of the function before it.
    pub fn from_front(front: &'a str) -> Option<Self> {
        Self::named(noted(front).map_or(front, |(_, named)| named))
    }

    fn named(front: &'a str) -> Option<Self> {
        match front.split_once('/') {
            None if front.is_empty() => None,
            None => Some(Self::Route(front)),
            Some(("agents", id)) if !id.is_empty() && !id.contains('/') => Some(Self::Agent(id)),
            Some(_) => None,
        }
    }
}

/// The function that calls, as the path notes it: percent-encoded.
pub fn function(path: &str) -> Option<&str> {
    noted(path.strip_prefix('/')?).map(|(function, _)| function)
}

/// The function, and what stands behind it.
fn noted(front: &str) -> Option<(&str, &str)> {
    front.strip_prefix("d/")?.split_once('/').filter(|(function, _)| !function.is_empty())
}

#[cfg(test)]
mod tests;
