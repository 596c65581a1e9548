//! Whether plaintext is allowed where the settings would have it.
//!
//! In: [`Settings`]. Out: nothing, or the first key that would carry plaintext beyond loopback.
//! Invariant: it is only on loopback, or the operator said `insecure: true`.

use std::net::IpAddr;

use outrigger_config::ConfigError;

use super::settings::{IdentitySource, Listen, Settings};

/// Whoever reaches a plaintext listener speaks as the agent, and whoever sits on a plaintext path reads along. The hop to
/// the own agent and the health listener are not judged: the first is always plain, the second tells no secrets.
pub(super) fn judge(settings: &Settings) -> Result<(), ConfigError> {
    if settings.insecure {
        return Ok(());
    }
    let refuse = |path: &str, address: &str, hint: &str| {
        let detail = format!("{address} is beyond loopback and would be plaintext");
        Err(ConfigError::contradiction(path, detail, format!("{hint}, or say `insecure: true` for a trial")))
    };
    let Listen { outbound, inbound, admin, .. } = settings.listen;
    for (path, address) in [("listen.outbound", outbound), ("listen.admin", admin)] {
        if !address.ip().is_loopback() {
            return refuse(path, &address.to_string(), "listen on 127.0.0.1");
        }
    }
    if !matches!(settings.identity, IdentitySource::None) {
        return Ok(());
    }
    let hint = "add `identity:` (see `outrigger ca issue`), use loopback";
    for (path, address) in [("listen.inbound", Some(inbound)), ("advertise", settings.advertise)] {
        if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
            return refuse(path, &address.to_string(), hint);
        }
    }
    match settings.control.iter().find(|control| !is_loopback_authority(control)) {
        Some(control) => refuse("control.address", control, hint),
        None => Ok(()),
    }
}

fn is_loopback_authority(text: &str) -> bool {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host).trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
