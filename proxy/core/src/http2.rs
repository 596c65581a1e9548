//! HTTP/2 as callers speak it: which frames go by, how many of them are too many, and what a stream's request is in HTTP/1.1.
//!
//! In: bytes of a connection as they pass, and fields that were decoded. Out: counts against budgets, and heads.
//! Never here: sockets, HPACK, flow control. Source: RFC 9113.

pub mod frames;
pub mod budget;
pub mod request;
pub mod answer;
