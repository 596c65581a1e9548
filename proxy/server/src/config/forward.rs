//! `forward:` of the file: sites that may be forwarded to, and URLs that stand for routes.
//!
//! In: texts. Out: values of the core's `outside`, or the entry that is wrong.

use std::time::Duration;

use http::Uri;
use outrigger_config::ConfigError;
use outrigger_model::name::RouteName;
use outrigger_proxy_core::outside::{Known, Outside};
use outrigger_proxy_core::site::{Pattern, Site};

use super::file::ForwardFile;
use super::settings::Forward;
use super::value::{at_most, parsed, refused, within};

const EXAMPLE: &str = "write it like http://weather.example:8080/mcp";

pub(super) fn forward(file: &ForwardFile) -> Result<Forward, ConfigError> {
    at_most("forward.allow", &file.allow)?;
    let pattern = |(at, text): (usize, &String)| parsed::<Pattern>(&format!("forward.allow[{at}]"), text);
    let allowed = file.allow.iter().enumerate().map(pattern).collect::<Result<Vec<_>, _>>()?;
    let routes: Vec<_> = file.routes.iter().collect();
    at_most("forward.routes", &routes)?;
    let known = routes.into_iter().map(|(url, route)| known(url, route)).collect::<Result<Vec<_>, _>>()?;
    let seconds = within("forward.tunnel_idle_seconds", file.tunnel_idle_seconds, 1..=86_400, 3_600)?;
    Ok(Forward { outside: Outside { known, allowed }, tunnel_idle: Duration::from_secs(seconds) })
}

fn known(text: &str, route: &str) -> Result<Known, ConfigError> {
    let path = format!("forward.routes.{text}");
    let bad = |why: &str| refused(path.as_str(), format!("{why}; {EXAMPLE}"));
    let url: Uri = text.parse().map_err(|_| bad("it is no URL"))?;
    if url.scheme_str() != Some("http") {
        return Err(bad("only http:// can be read by a proxy"));
    }
    let site = url.authority().and_then(|authority| Site::parse(authority.as_str(), Some(80)));
    let site = site.ok_or_else(|| bad("it has no host with an optional port"))?;
    if url.query().is_some() {
        return Err(bad("a query cannot be matched"));
    }
    Ok(Known { site, path: url.path().to_owned(), route: parsed::<RouteName>(&path, route)? })
}
