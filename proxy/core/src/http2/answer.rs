//! The head of an HTTP/1.1 answer as a stream's.
//!
//! In: a head. Out: its status and fields, without those of a connection. Source: RFC 9113 section 8.2.

use http::{HeaderName, HeaderValue, Response};

use crate::http1::field::Name;
use crate::http1::head::ResponseHead;

/// None where a field is no field of HTTP/2.
pub fn head(head: &ResponseHead) -> Option<Response<()>> {
    let mut answer = Response::new(());
    *answer.status_mut() = head.status;
    for (known, name, value) in head.fields.iter() {
        let of_connection = matches!(
            known,
            Name::Connection
                | Name::KeepAlive
                | Name::ProxyConnection
                | Name::Upgrade
                | Name::TransferEncoding
                | Name::Te
        );
        if !of_connection {
            let name = HeaderName::from_bytes(name).ok()?;
            answer.headers_mut().append(name, HeaderValue::from_bytes(value).ok()?);
        }
    }
    Some(answer)
}
