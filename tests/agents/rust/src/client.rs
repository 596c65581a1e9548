//! The client: visits a server, uses everything it offers, and lets itself be authorized on the way.
//!
//! In: the URL as last argument; revision and context as the suite sets them. Out: requests; success if all could be made.
//! Never here: knowledge of single scenarios. What a server shows and demands decides what is sent.
//! Invariant: a server that demands authorization over and over is given up.

mod context;
mod user;
mod tour;
mod authorization;

use anyhow::Context as _;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::AuthClient;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use authorization::Demand;
use context::Context;

/// Authorizations before the client gives up: one at the start, and some for scopes or servers that change.
const AUTHORIZATIONS_MAX: usize = 3;

/// Visits the server until everything was used, or nothing more can be done.
pub async fn visit() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).context("the URL of the server is missing")?;
    let context = Context::from_environment()?;
    let mut access = authorization::none(&url).await?;
    if context.has_own_credentials() {
        access = authorization::as_itself(&url, &context).await?;
    }
    for _ in 0..AUTHORIZATIONS_MAX {
        let Err(error) = tour(&url, access.clone(), &context).await else { return Ok(()) };
        match authorization::demanded(&error) {
            Some(Demand::Token(challenge)) => access = authorization::by_user(&url, &challenge, &context).await?,
            Some(Demand::Scope(scope)) => authorization::widen(&access, &scope).await?,
            None => return Err(error),
        }
    }
    tour(&url, access, &context).await
}

async fn tour(url: &str, access: AuthClient<reqwest::Client>, context: &Context) -> anyhow::Result<()> {
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    tour::make(StreamableHttpClientTransport::with_client(access, config), context).await
}
