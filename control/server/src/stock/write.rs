//! Answers of the engine as messages of either variant.
//!
//! In: a [`Reply`]. Out: a frame without its nonce, which the codec appends.

use outrigger_model::resource::Epoch;
use outrigger_wire::proto::discovery::{
    ControlPlane, DeltaDiscoveryResponse, DiscoveryResponse, Resource as Delivered, ResourceError, ResourceName,
};
use outrigger_wire::proto::rpc;
use prost::Message;
use prost_types::Any;

use crate::publish::frame::Frame;
use crate::stock::engine::Reply;
use crate::stock::shelf::Resource;
use crate::stock::topic::Mode;

/// `google.rpc.Code.NOT_FOUND`.
const NOT_FOUND: i32 = 5;

pub fn frame(reply: &Reply, mode: Mode, epoch: Epoch) -> Frame {
    let bytes = match mode {
        Mode::Sotw => sotw(reply, epoch).encode_to_vec(),
        Mode::Delta => delta(reply, epoch).encode_to_vec(),
    };
    Frame(bytes.into())
}

fn sotw(reply: &Reply, epoch: Epoch) -> DiscoveryResponse {
    let missing = reply.missing.iter().map(|name| ResourceError {
        resource_name: Some(ResourceName { name: name.to_string() }),
        error_detail: Some(rpc::Status { code: NOT_FOUND, message: format!("there is no `{name}` in this mesh") }),
    });
    DiscoveryResponse {
        version_info: reply.version.clone(),
        resources: reply.changed.iter().map(|resource| body(reply, resource)).collect(),
        type_url: reply.kind.url().to_owned(),
        control_plane: control_plane(epoch),
        resource_errors: missing.collect(),
        ..DiscoveryResponse::default()
    }
}

fn delta(reply: &Reply, epoch: Epoch) -> DeltaDiscoveryResponse {
    let delivered = reply.changed.iter().map(|resource| Delivered {
        name: resource.name.to_string(),
        version: resource.token.to_string(),
        resource: Some(body(reply, resource)),
        ..Delivered::default()
    });
    DeltaDiscoveryResponse {
        system_version_info: reply.version.clone(),
        resources: delivered.collect(),
        type_url: reply.kind.url().to_owned(),
        removed_resources: reply.removed.iter().map(ToString::to_string).collect(),
        control_plane: control_plane(epoch),
        ..DeltaDiscoveryResponse::default()
    }
}

fn body(reply: &Reply, resource: &Resource) -> Any {
    Any { type_url: reply.kind.url().to_owned(), value: resource.body.to_vec() }
}

fn control_plane(epoch: Epoch) -> Option<ControlPlane> {
    Some(ControlPlane { identifier: format!("outrigger-{}/{epoch}", env!("CARGO_PKG_VERSION")) })
}

#[cfg(test)]
mod tests;
