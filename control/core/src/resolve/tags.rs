//! Whether the tags of an offer fit a filter, and how well.

use outrigger_model::tag::{Tag, TagFilter, TagSet};

/// What keeps an offer from fitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagLoss<'a> {
    Missing(&'a Tag),
    Excluded(&'a Tag),
}

/// The number of preferred tags that the offer has, or the first tag that rules it out.
pub fn judge<'a>(filter: &'a TagFilter, offered: &TagSet) -> Result<usize, TagLoss<'a>> {
    if let Some(tag) = filter.missing(offered) {
        return Err(TagLoss::Missing(tag));
    }
    if let Some(tag) = filter.clash(offered) {
        return Err(TagLoss::Excluded(tag));
    }
    Ok(filter.score(offered))
}
