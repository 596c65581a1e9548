//! How the messages of the state-of-the-world variant cross the wire.
//!
//! In: an answer's bytes and its nonce. Out: the bytes of one gRPC message. The nonce has the same number in both variants.

use outrigger_wire::proto::discovery::{DiscoveryRequest, DiscoveryResponse};
use prost::bytes::BufMut;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::{ProstCodec, ProstDecoder};

use crate::publish::frame::Frame;

/// `DiscoveryResponse.nonce`.
const NONCE_FIELD: u32 = 5;

/// One answer of one stream.
#[derive(Debug, Clone)]
pub struct Written {
    pub frame: Frame,
    pub nonce: String,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct SotwCodec;

#[derive(Debug, Clone, Copy, Default)]
pub struct SotwEncoder;

impl Codec for SotwCodec {
    type Encode = Written;
    type Decode = DiscoveryRequest;
    type Encoder = SotwEncoder;
    type Decoder = ProstDecoder<DiscoveryRequest>;

    fn encoder(&mut self) -> SotwEncoder {
        SotwEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<DiscoveryResponse, DiscoveryRequest>::raw_decoder(BufferSettings::default())
    }
}

impl Encoder for SotwEncoder {
    type Item = Written;
    type Error = Status;

    fn encode(&mut self, written: Written, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(written.frame.0.len() + written.nonce.len() + 8);
        out.put_slice(&written.frame.0);
        prost::encoding::string::encode(NONCE_FIELD, &written.nonce, out);
        Ok(())
    }
}
