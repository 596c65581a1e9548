//! Fuzz targets for what reads bytes of strangers: envelope, headers, bodies of HTTP/1.1, event streams.
//!
//! In: files of `tests/corpus`, damaged at random. Out: whether two ways of reading them agree, and what was read keeps its promises.
//! Why not a fuzzer that watches coverage: those need a nightly compiler; the files already reach every branch on purpose, and damage does the
//! rest. A failure is shrunk, printed with what to replay, and its seed kept beside the target, to be committed.
//! `PROPTEST_CASES=100000 cargo test -p outrigger-tests --test fuzz` runs longer than `make test` does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

mod damage;

mod body;
mod envelope;
mod headers;
mod sse;
