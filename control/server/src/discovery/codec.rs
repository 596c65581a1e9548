//! How discovery messages cross the wire: requests decoded as usual, responses written from shared bytes.
//!
//! In: a shared frame and the nonce of one stream. Out: the bytes of one gRPC message.

use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};
use prost::bytes::BufMut;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::{ProstCodec, ProstDecoder};

use crate::publish::frame::Frame;
use crate::stock::codec::Written;

/// `DeltaDiscoveryResponse.nonce`.
const NONCE_FIELD: u32 = 5;

/// One response of one stream.
#[derive(Debug, Clone)]
pub struct Message {
    pub frame: Frame,
    pub nonce: String,
}

impl From<Written> for Message {
    fn from(Written { frame, nonce }: Written) -> Self {
        Self { frame, nonce }
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct DiscoveryCodec;

#[derive(Debug, Clone, Copy, Default)]
pub struct FrameEncoder;

impl Codec for DiscoveryCodec {
    type Encode = Message;
    type Decode = DeltaDiscoveryRequest;
    type Encoder = FrameEncoder;
    type Decoder = ProstDecoder<DeltaDiscoveryRequest>;

    fn encoder(&mut self) -> FrameEncoder {
        FrameEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<DeltaDiscoveryResponse, DeltaDiscoveryRequest>::raw_decoder(BufferSettings::default())
    }
}

impl Encoder for FrameEncoder {
    type Item = Message;
    type Error = Status;

    fn encode(&mut self, message: Message, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(message.frame.0.len() + message.nonce.len() + 8);
        out.put_slice(&message.frame.0);
        prost::encoding::string::encode(NONCE_FIELD, &message.nonce, out);
        Ok(())
    }
}
