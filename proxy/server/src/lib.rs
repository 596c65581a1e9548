//! The proxy: pingora, sessions, mTLS, probes, telemetry.
