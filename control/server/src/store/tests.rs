//! One suite for every store, and what only a file can suffer.

mod conformance;
mod damage;
