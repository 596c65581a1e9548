//! How Envoy proves itself to inbound proxies, and what they must prove.
//!
//! In: the identities of a pool's endpoints, whom the mesh trusts. Out: transport sockets of a cluster.
//! Invariant: where the mesh has identities nothing of a cluster is plaintext unless its endpoint is registered without one; an
//! endpoint whose identity a client does not know yet must still prove to be a proxy of the mesh.

use std::collections::{BTreeSet, HashMap};

use envoy_types::pb::envoy::config::cluster::v3::cluster::TransportSocketMatch;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as tls;
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use envoy_types::pb::google::protobuf::{Struct, Value, value};
use outrigger_model::endpoint::Endpoint;
use outrigger_model::identity::{SpiffeId, TrustDomain};

use super::secrets::{TRUST, Trust};
use crate::stock::dialect::Envoy;
use crate::stock::pack::{any, empty, from_here};

/// The metadata by which Envoy finds the transport socket of an endpoint.
pub const MATCH: &str = "envoy.transport_socket_match";
const IDENTITY: &str = "identity";
const PLAIN: &str = "none";

/// Whom to prove what.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    pub trust: Option<&'a Trust>,
    pub envoy: &'a Envoy,
}

/// What stands in the metadata of an endpoint.
pub fn label(endpoint: &Endpoint) -> Struct {
    let text = endpoint.identity.as_ref().map_or_else(|| PLAIN.to_owned(), ToString::to_string);
    labelled(text)
}

fn labelled(text: String) -> Struct {
    let value = Value { kind: Some(value::Kind::StringValue(text)) };
    Struct { fields: HashMap::from([(IDENTITY.to_owned(), value)]) }
}

impl Tls<'_> {
    /// For endpoints that no match is about: any proxy of the mesh. None: the mesh has no identities.
    pub fn default_socket(&self) -> Option<core::TransportSocket> {
        let trust = self.trust?;
        Some(self.socket(proxies_of(&trust.domain)))
    }

    /// One per identity, each for exactly that one.
    pub fn matches<'e>(&self, endpoints: impl Iterator<Item = &'e Endpoint>) -> Vec<TransportSocketMatch> {
        let identities: BTreeSet<Option<&SpiffeId>> = endpoints.map(|endpoint| endpoint.identity.as_ref()).collect();
        let of = |identity: Option<&SpiffeId>| match identity {
            Some(id) => self.one(id.to_string(), self.socket(vec![uri(MatchPattern::Exact(id.to_string()))])),
            None => self.one(PLAIN.to_owned(), plaintext()),
        };
        // Without TLS anywhere in the mesh there is nothing to choose.
        identities.into_iter().filter(|identity| identity.is_some() || self.trust.is_some()).map(of).collect()
    }

    fn one(&self, name: String, socket: core::TransportSocket) -> TransportSocketMatch {
        TransportSocketMatch { name: name.clone(), r#match: Some(labelled(name)), transport_socket: Some(socket) }
    }

    fn socket(&self, names: Vec<tls::SubjectAltNameMatcher>) -> core::TransportSocket {
        let validation =
            tls::CertificateValidationContext { match_typed_subject_alt_names: names, ..Default::default() };
        let combined = tls::common_tls_context::CombinedCertificateValidationContext {
            default_validation_context: Some(validation),
            validation_context_sds_secret_config: Some(tls::SdsSecretConfig {
                name: TRUST.to_owned(),
                sds_config: Some(from_here()),
            }),
            ..Default::default()
        };
        let version: i32 = tls::tls_parameters::TlsProtocol::TlSv13.into();
        let common = tls::CommonTlsContext {
            tls_params: Some(tls::TlsParameters {
                tls_minimum_protocol_version: version,
                tls_maximum_protocol_version: version,
                ..Default::default()
            }),
            tls_certificate_sds_secret_configs: vec![self.certificate()],
            validation_context_type: Some(tls::common_tls_context::ValidationContextType::CombinedValidationContext(
                combined,
            )),
            ..Default::default()
        };
        secured(&tls::UpstreamTlsContext { common_tls_context: Some(common), ..Default::default() })
    }

    /// Keys are in no snapshot: Envoy has its own, in its bootstrap or in a file.
    fn certificate(&self) -> tls::SdsSecretConfig {
        let file = self.envoy.certificate_file.as_ref().map(|path| core::ConfigSource {
            resource_api_version: core::ApiVersion::V3.into(),
            config_source_specifier: Some(core::config_source::ConfigSourceSpecifier::PathConfigSource(
                core::PathConfigSource { path: path.clone(), ..Default::default() },
            )),
            ..Default::default()
        });
        tls::SdsSecretConfig { name: self.envoy.certificate.clone(), sds_config: file }
    }
}

fn secured(context: &tls::UpstreamTlsContext) -> core::TransportSocket {
    let config = core::transport_socket::ConfigType::TypedConfig(any(context));
    core::TransportSocket { name: "envoy.transport_sockets.tls".to_owned(), config_type: Some(config) }
}

fn plaintext() -> core::TransportSocket {
    let config = empty("type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer");
    core::TransportSocket {
        name: "envoy.transport_sockets.raw_buffer".to_owned(),
        config_type: Some(core::transport_socket::ConfigType::TypedConfig(config)),
    }
}

fn proxies_of(domain: &TrustDomain) -> Vec<tls::SubjectAltNameMatcher> {
    let start = |kind| uri(MatchPattern::Prefix(format!("spiffe://{}/{kind}/", domain.as_str())));
    ["agent", "node"].map(start).into()
}

fn uri(pattern: MatchPattern) -> tls::SubjectAltNameMatcher {
    tls::SubjectAltNameMatcher {
        san_type: tls::subject_alt_name_matcher::SanType::Uri.into(),
        matcher: Some(StringMatcher { match_pattern: Some(pattern), ignore_case: false }),
        ..Default::default()
    }
}
