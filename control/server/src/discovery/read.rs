//! Reads discovery requests into the words of the engine.
//!
//! Invariant: a type that this build does not know is ignored, and the other types of the stream go on.

use std::collections::BTreeMap;

use outrigger_model::name::BadName;
use outrigger_model::resource::Token;
use outrigger_wire::kind::{MANIFEST_TYPE_URL, kind_of};
use outrigger_wire::proto::discovery::DeltaDiscoveryRequest;
use tonic::Status;

use crate::discovery::engine::Ask;
use crate::publish::edition::Topic;

/// Longest refusal that is kept, in characters.
const REFUSAL_CHARS_MAX: usize = 512;
/// Longest name that a client may ask for. None of ours is longer than a name can be.
const NAME_BYTES_MAX: usize = outrigger_model::name::NAME_BYTES_MAX;

/// None: it asks for a type that this build does not know.
pub fn ask(request: DeltaDiscoveryRequest) -> Result<Option<Ask>, Status> {
    if request.type_url.is_empty() {
        return Err(Status::invalid_argument(
            "type_url is missing; every request on an aggregated stream names a type",
        ));
    }
    let Some(topic) = topic(&request.type_url) else { return Ok(None) };
    let held = request.initial_resource_versions.into_iter();
    let refusal = request.error_detail.map(|status| status.message.chars().take(REFUSAL_CHARS_MAX).collect());
    let ask = Ask {
        topic,
        subscribe: request.resource_names_subscribe,
        unsubscribe: request.resource_names_unsubscribe,
        held: held.map(|(name, token)| (name, token.parse::<Token>().ok())).collect::<BTreeMap<_, _>>(),
        nonce: request.response_nonce,
        refusal,
    };
    let names = ask.subscribe.iter().chain(&ask.unsubscribe).chain(ask.held.keys());
    if let Some(name) = names.into_iter().find(|name| name.len() > NAME_BYTES_MAX) {
        let bad = BadName::Long { kind: "resource" };
        return Err(Status::invalid_argument(format!("{bad}: {}…", name.chars().take(32).collect::<String>())));
    }
    Ok(Some(ask))
}

fn topic(url: &str) -> Option<Topic> {
    if url == MANIFEST_TYPE_URL { Some(Topic::Manifest) } else { kind_of(url).map(Topic::Resources) }
}

#[cfg(test)]
mod tests;
