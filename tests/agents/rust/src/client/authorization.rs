//! Authorization: what a server demanded, and a token that satisfies it.
//!
//! In: the error of a visit, with the server's challenge in it. Out: a client that sends a token with every request.
//! Never here: how tokens are got, kept and refreshed; that is the SDK's authorization manager.
//! Invariant: each new demand for a token starts from nothing, so no credential of one authority reaches another.

use anyhow::Context as _;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use rmcp::service::{ClientInitializeError, ServiceError};
use rmcp::transport::auth::{
    AuthClient, AuthorizationCallback, AuthorizationManager, AuthorizationRequest, ClientCredentialsConfig, OAuthState,
};
use rmcp::transport::streamable_http_client::{AuthRequiredError, InsufficientScopeError};

use super::context::Context;

/// Where a browser would be sent back to; nobody listens there, the address is read from the redirect itself.
const REDIRECT: &str = "http://localhost:3000/callback";
/// The client's own description; the suite knows this one and never fetches it.
const DESCRIPTION: &str = "https://conformance-test.local/client-metadata.json";

type Access = AuthClient<reqwest::Client>;

/// What a server wants before it goes on.
pub enum Demand {
    /// A token; the challenge says where from.
    Token(String),
    /// A token for this scope too.
    Scope(String),
}

/// Finds the demand in what ended a visit.
pub fn demanded(error: &anyhow::Error) -> Option<Demand> {
    // The SDK shows what its transport said in the text of these errors only, not among their causes.
    let said = error.chain().find_map(|cause| {
        if let Some(ClientInitializeError::TransportError { error, .. }) = cause.downcast_ref() {
            return Some(error);
        }
        match cause.downcast_ref() {
            Some(ServiceError::TransportSend(error)) => Some(error),
            _ => None,
        }
    })?;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(said.error.as_ref());
    while let Some(error) = cause {
        if let Some(required) = error.downcast_ref::<AuthRequiredError>() {
            return Some(Demand::Token(required.www_authenticate_header.clone()));
        }
        if let Some(scope) = error.downcast_ref::<InsufficientScopeError>() {
            return scope.get_required_scope().map(|scope| Demand::Scope(scope.to_owned()));
        }
        cause = error.source();
    }
    None
}

/// A connection for each request, as the SDK's own default: a server that closes an idle one is no failure.
fn http() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().pool_max_idle_per_host(0).build()?)
}

/// Without a token, until one is demanded.
pub async fn none(url: &str) -> anyhow::Result<Access> {
    Ok(AuthClient::new(http()?, AuthorizationManager::new(url).await?))
}

/// As a user would do it: agrees at the authority, and comes back with a code.
pub async fn by_user(url: &str, challenge: &str, context: &Context) -> anyhow::Result<Access> {
    let mut request = AuthorizationRequest::new(REDIRECT)
        .with_client_name("conformance-client")
        .with_client_metadata_url(DESCRIPTION)
        .with_initial_scope_selection()
        .with_challenge(challenge);
    if let Some(id) = &context.client_id {
        request = request.with_preregistered_client(id);
    }
    if let Some(secret) = &context.client_secret {
        request = request.with_client_secret(secret);
    }
    let mut state = OAuthState::new(url, None).await?;
    state.start_authorization(request).await?;
    let back = agree(&state.get_authorization_url().await?).await?;
    state.handle_callback_url(&back).await?;
    let manager = state.into_authorization_manager().context("the authority gave no token")?;
    Ok(AuthClient::new(http()?, manager))
}

/// With credentials of its own, and no user.
pub async fn as_itself(url: &str, context: &Context) -> anyhow::Result<Access> {
    let config = ClientCredentialsConfig::ClientSecret {
        client_id: context.client_id.clone().unwrap_or_default(),
        client_secret: context.client_secret.clone().unwrap_or_default(),
        scopes: vec![],
        resource: Some(url.to_owned()),
    };
    let mut state = OAuthState::new(url, None).await?;
    state.authenticate_client_credentials(config).await?;
    let manager = state.into_authorization_manager().context("the authority gave no token")?;
    Ok(AuthClient::new(http()?, manager))
}

/// Asks the same authority for one more scope.
pub async fn widen(access: &Access, scope: &str) -> anyhow::Result<()> {
    let manager = access.auth_manager.lock().await;
    let back = agree(&manager.request_scope_upgrade(scope).await?).await?;
    let AuthorizationCallback { code, csrf_token, issuer, .. } = AuthorizationCallback::from_redirect_url(&back)?;
    manager.exchange_code_for_token_with_issuer(&code, &csrf_token, issuer.as_deref()).await?;
    Ok(())
}

/// Opens the page of the authority, which agrees by itself, and returns where it sends the user.
async fn agree(page: &str) -> anyhow::Result<String> {
    let browser = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let answer = browser.get(page).send().await?;
    let place = answer.headers().get(LOCATION).context("the authority sends the user nowhere")?;
    Ok(place.to_str()?.to_owned())
}
