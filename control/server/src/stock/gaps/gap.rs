//! What is not told, and where it was declared.

/// One thing that a stock client is not told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The resource and the field, such as `Route/shop.retries.hedge_after`; `mesh`: of every mesh.
    pub at: String,
    /// What becomes of it, for people.
    pub says: &'static str,
}
