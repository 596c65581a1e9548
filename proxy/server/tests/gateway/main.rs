//! Calls through real listeners on loopback: a raw client, one or two gateways, and scripted agents.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests fail by panicking")]

mod agent;
mod caller;
mod mesh;
mod server;

mod announce;
mod bad_input;
mod balance;
mod breaker;
mod concurrency;
mod drain;
mod failover;
mod forward;
mod http2;
mod http2_floods;
mod identity;
mod keys;
mod limits;
mod messages;
mod oauth;
mod order;
mod overload;
mod peers;
mod rates;
mod everything;
mod refusals;
mod retries;
mod hedge;
mod deadline;
mod hijack;
mod revoked;
mod session_limits;
mod search;
mod sessions;
mod sealed;
mod stall;
mod streams;
mod time;
mod traffic;
mod transparency;
mod wired;
