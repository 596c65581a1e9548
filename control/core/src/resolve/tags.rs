//! Whether the tags of an offer fit a filter, and how well.
//!
//! Points (measured on mcp-mesh): 5 for each tag that has to be there, 10 for each preferred one that is, and of a group those of
//! its best choice. A group holds if a choice that asks for a tag holds and none that excludes one fails.

use outrigger_model::tag::{Tag, TagChoice, TagFilter, TagGroup, TagSet};

const REQUIRED: u32 = 5;
const PREFERRED: u32 = 10;

/// What keeps an offer from fitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagLoss<'a> {
    Missing(&'a Tag),
    Excluded(&'a Tag),
    /// None of its choices is there.
    Group(&'a TagGroup),
}

/// The points of the offer, or what rules it out.
pub fn judge<'a>(filter: &'a TagFilter, offered: &TagSet) -> Result<u32, TagLoss<'a>> {
    if let Some(tag) = filter.missing(offered) {
        return Err(TagLoss::Missing(tag));
    }
    if let Some(tag) = filter.clash(offered) {
        return Err(TagLoss::Excluded(tag));
    }
    // A filter holds at most 64 tags.
    let points = |count: usize, each: u32| u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(each);
    let mut score = points(filter.required.len(), REQUIRED) + points(filter.score(offered), PREFERRED);
    for group in &filter.groups {
        score += judge_group(group, offered)?;
    }
    Ok(score)
}

fn judge_group<'a>(group: &'a TagGroup, offered: &TagSet) -> Result<u32, TagLoss<'a>> {
    let mut best = None;
    for choice in group.choices() {
        match choice {
            TagChoice::Excluded(tag) if offered.contains(tag) => return Err(TagLoss::Excluded(tag)),
            TagChoice::Required(tag) if offered.contains(tag) => best = best.max(Some(REQUIRED)),
            TagChoice::Preferred(tag) if offered.contains(tag) => best = best.max(Some(PREFERRED)),
            TagChoice::Excluded(_) | TagChoice::Required(_) | TagChoice::Preferred(_) => {}
        }
    }
    best.ok_or(TagLoss::Group(group))
}
