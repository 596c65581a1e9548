//! What control counts. Logs are written where things happen; who sets up their output is the binary.

pub mod metrics;
