//! Standard messages as bytes, and as parts of other messages.
//!
//! Invariant: equal messages make equal bytes, because no map in a message that is built here has more than one key.

use std::time::Duration;

use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::google::protobuf::{self, Any};
use prost::{Message, Name};

pub fn body(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

pub fn any<T: Message + Name>(message: &T) -> Any {
    Any { type_url: T::type_url(), value: message.encode_to_vec() }
}

/// A message without fields of a type that is only named.
pub fn empty(type_url: &str) -> Any {
    Any { type_url: type_url.to_owned(), value: Vec::new() }
}

pub fn duration(time: Duration) -> protobuf::Duration {
    protobuf::Duration {
        seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(time.subsec_nanos()).unwrap_or_default(),
    }
}

pub fn number(value: u32) -> Option<protobuf::UInt32Value> {
    Some(protobuf::UInt32Value { value })
}

pub fn yes() -> Option<protobuf::BoolValue> {
    Some(protobuf::BoolValue { value: true })
}

/// Over the stream that this came on.
pub fn from_here() -> core::ConfigSource {
    let source = core::config_source::ConfigSourceSpecifier::Ads(core::AggregatedConfigSource {});
    core::ConfigSource {
        resource_api_version: core::ApiVersion::V3.into(),
        config_source_specifier: Some(source),
        ..core::ConfigSource::default()
    }
}
