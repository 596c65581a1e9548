//! Calls of a dependency of mcp-mesh: they are of one function, which its providers may call by different names.
//!
//! In: a plan, an endpoint. Out: what the function is called there.

use std::sync::Arc;

use crate::world::endpoint::{Endpoint, Wired};

use super::Plan;

impl Plan {
    /// Of which function the calls of its route are, if they are of one.
    pub fn wired(&self) -> Option<&Wired> {
        self.aim.dest.route()?.wired.as_ref()
    }

    /// What that function is called at `endpoint`.
    pub fn function_at<'a>(&'a self, endpoint: &'a Endpoint) -> Option<&'a Arc<str>> {
        let wired = self.wired()?;
        Some(endpoint.tool.as_ref().unwrap_or(&wired.function))
    }

    /// The endpoints at which it is not called as the first provider calls it.
    pub fn named_otherwise(&self) -> impl Iterator<Item = &Endpoint> {
        let pool = self.aim.pool().filter(|_| self.wired().is_some_and(|wired| wired.mixed));
        pool.into_iter().flat_map(|pool| &pool.endpoints).map(AsRef::as_ref).filter(|endpoint| endpoint.tool.is_some())
    }
}
