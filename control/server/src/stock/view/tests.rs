//! What a snapshot becomes, read back from its protobuf.

use super::*;

mod fixture;
mod envoy;
mod routes;
mod grpc;

use crate::stock::kind::Kind;
use fixture::{Mesh, endpoint, share};
