//! One dependency as mcp-mesh writes it.
//!
//! In: its JSON and the namespace of who asks. Out: a [`Requirement`].

use outrigger_model::name::{CapabilityName, Namespace};
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::{Also, BadWord, RangeText, Reach, SchemaMode, SchemaNeed};
use outrigger_model::tag::{BadTag, TagChoice, TagFilter, TagGroup};
use semver::VersionReq;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What stands in for the capability where only tags are asked for.
const EVERYTHING: &str = "any";

/// A dependency, an entry of a filter, or the model that a function talks to.
#[derive(Debug, Default, Deserialize)]
pub struct NeedJson {
    #[serde(default)]
    pub capability: String,
    #[serde(default)]
    pub tags: Option<Vec<TagJson>>,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub namespace: Option<String>,
    #[serde(default)]
    pub required: Option<bool>,
    #[serde(default, rename = "matchMode")]
    pub match_mode: Option<String>,
    #[serde(default, rename = "expectedSchemaCanonical")]
    pub expected_canonical: Option<Box<RawValue>>,
    #[serde(default, rename = "expectedSchemaHash")]
    pub expected_hash: Option<String>,
}

/// A tag, or a list of which one is enough.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum TagJson {
    One(String),
    AnyOf(Vec<String>),
}

#[derive(Debug, thiserror::Error)]
pub enum BadNeed {
    #[error("a dependency names a capability")]
    NoCapability,
    #[error(transparent)]
    Name(#[from] outrigger_model::name::BadName),
    #[error(transparent)]
    Tag(#[from] BadTag),
    #[error(transparent)]
    Word(#[from] BadWord),
    #[error("matchMode `{0}` is not subset or strict")]
    MatchMode(String),
}

/// `asker` is the namespace that counts where the dependency names none.
pub fn requirement(json: &NeedJson, asker: &Namespace, reach: Reach) -> Result<Requirement, BadNeed> {
    let (capability, reach) = match (json.capability.as_str(), reach) {
        ("", Reach::All) => (EVERYTHING, Reach::Every),
        ("", _) => return Err(BadNeed::NoCapability),
        (name, reach) => (name, reach),
    };
    let range = json.version.as_deref().map(str::trim).filter(|text| !text.is_empty() && *text != "*");
    let namespace = match json.namespace.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Namespace::new(text)?,
        None => asker.clone(),
    };
    let also = Also {
        range: range.map(RangeText::new).transpose()?,
        schema: schema(json)?,
        namespace: (namespace != Namespace::default()).then_some(namespace),
        reach,
    };
    let tags = filter(json.tags.as_deref().unwrap_or_default())?;
    Ok(Requirement { capability: CapabilityName::new(capability)?, version: VersionReq::STAR, tags, also })
}

fn filter(tags: &[TagJson]) -> Result<TagFilter, BadTag> {
    let singles = tags.iter().filter_map(|tag| match tag {
        TagJson::One(text) => Some(text),
        TagJson::AnyOf(_) => None,
    });
    let mut filter = TagFilter::parse(singles)?;
    for tag in tags {
        let TagJson::AnyOf(choices) = tag else { continue };
        let choices = choices.iter().map(|text| text.parse()).collect::<Result<Vec<TagChoice>, _>>()?;
        filter.groups.extend(TagGroup::new(choices));
    }
    Ok(filter)
}

fn schema(json: &NeedJson) -> Result<Option<SchemaNeed>, BadNeed> {
    let Some(mode) = json.match_mode.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let mode = SchemaMode::parse(mode).ok_or_else(|| BadNeed::MatchMode(mode.chars().take(64).collect()))?;
    let canonical = json.expected_canonical.as_deref().map(RawValue::get).unwrap_or_default();
    let hash = json.expected_hash.as_deref().unwrap_or_default();
    Ok(Some(SchemaNeed::new(mode, hash, canonical).ok_or(BadWord::Schema)?))
}
