//! The type URLs under which resources travel.

use outrigger_model::resource::ResourceKind;

/// The type URL of the manifest, which is sent last.
pub const MANIFEST_TYPE_URL: &str = "type.googleapis.com/outrigger.snapshot.v1.Manifest";

/// The kind of the manifest in texts for people, beside [`ResourceKind::as_str`].
pub const MANIFEST: &str = "Manifest";

/// The name of resources of which there is one: settings, keyring, revocations and the manifest.
pub const SELF: &str = "self";

/// The type URL of a kind.
pub const fn type_url(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Settings => "type.googleapis.com/outrigger.snapshot.v1.Settings",
        ResourceKind::Keyring => "type.googleapis.com/outrigger.snapshot.v1.Keyring",
        ResourceKind::Revocations => "type.googleapis.com/outrigger.snapshot.v1.Revocations",
        ResourceKind::Agent => "type.googleapis.com/outrigger.snapshot.v1.Agent",
        ResourceKind::Capability => "type.googleapis.com/outrigger.snapshot.v1.Capability",
        ResourceKind::Pool => "type.googleapis.com/outrigger.snapshot.v1.Pool",
        ResourceKind::Endpoints => "type.googleapis.com/outrigger.snapshot.v1.Endpoints",
        ResourceKind::Route => "type.googleapis.com/outrigger.snapshot.v1.Route",
        ResourceKind::Wiring => "type.googleapis.com/outrigger.snapshot.v1.Wiring",
    }
}

/// The kind of a type URL; none for the manifest and for types of others.
pub fn kind_of(url: &str) -> Option<ResourceKind> {
    ResourceKind::ALL.into_iter().find(|kind| type_url(*kind) == url)
}
