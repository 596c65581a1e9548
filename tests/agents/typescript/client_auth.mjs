// How the conformance client proves who it is: one provider of the official TypeScript SDK per kind of scenario.
//
// The person in front of a browser is played by one GET of the authorization URL: the suite's authorization servers ask
// nothing and redirect at once, and the redirect holds the answer. A person is asked three times at most: a server that
// wants more scopes for ever gets no fourth visit.
const REDIRECT = 'http://127.0.0.1:3999/callback'; // nothing listens there: the redirect is read, never followed
const METADATA_DOCUMENT = 'https://conformance-test.local/client-metadata.json'; // the client id the suite looks for
const VISITS_MAX = 3;
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

class Person {
  redirectUrl = REDIRECT;
  clientMetadata = {
    client_name: 'conformance-client',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
  visits = 0;

  constructor({ registered, clientMetadataUrl, dpop } = {}) {
    this.registered = registered;
    this.clientMetadataUrl = clientMetadataUrl;
    if (dpop) this.dpop = () => dpop;
  }

  clientInformation() {
    return this.registered;
  }

  saveClientInformation(registered) {
    this.registered = registered;
  }

  tokens() {
    return this.kept;
  }

  // With the tokens the visit is over; where to go the next time is asked anew, since servers move.
  saveTokens(tokens) {
    this.kept = tokens;
    this.discovered = undefined;
  }

  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }

  codeVerifier() {
    return this.verifier;
  }

  saveDiscoveryState(state) {
    this.discovered = state;
  }

  discoveryState() {
    return this.discovered;
  }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') this.registered = undefined;
    if (scope === 'all' || scope === 'tokens') this.kept = undefined;
    if (scope === 'all' || scope === 'verifier') this.verifier = undefined;
    if (scope === 'all' || scope === 'discovery') this.discovered = undefined;
  }

  async redirectToAuthorization(url) {
    if (++this.visits > VISITS_MAX) throw new Error(`asked for permission ${this.visits} times`);
    const answer = await fetch(url, { redirect: 'manual' });
    this.answer = new URL(answer.headers.get('location')).searchParams;
  }
}

// A workload that brings a signed statement of who it is, and asks nobody.
class Workload {
  redirectUrl = undefined;
  clientMetadata = { client_name: 'conformance-client', redirect_uris: [], grant_types: [JWT_BEARER] };

  constructor(clientId, assertion) {
    this.registered = { client_id: clientId };
    this.assertion = assertion;
  }

  clientInformation() {
    return this.registered;
  }

  tokens() {
    return this.kept;
  }

  saveTokens(tokens) {
    this.kept = tokens;
  }

  redirectToAuthorization() {
    throw new Error('a workload has no browser');
  }

  saveCodeVerifier() {}

  codeVerifier() {
    throw new Error('a workload has no code');
  }

  prepareTokenRequest(scope) {
    const wish = new URLSearchParams({ grant_type: JWT_BEARER, assertion: this.assertion });
    if (scope) wish.set('scope', scope);
    return wish;
  }
}

// The way in that the scenario's authorization server offers.
export async function provider(sdk, scenario, context) {
  const { client_id: clientId, client_secret: clientSecret } = context;
  switch (scenario) {
    case 'auth/client-credentials-basic':
      return new sdk.ClientCredentialsProvider({ clientId, clientSecret });
    case 'auth/client-credentials-jwt':
      return new sdk.PrivateKeyJwtProvider({
        clientId,
        privateKey: context.private_key_pem,
        algorithm: context.signing_algorithm,
      });
    case 'auth/enterprise-managed-authorization':
      return new sdk.CrossAppAccessProvider({ clientId, clientSecret, assertion: (call) => vouched(sdk, context, call) });
    case 'auth/pre-registration':
      return new Person({
        registered: {
          client_id: clientId,
          client_secret: clientSecret,
          token_endpoint_auth_method: 'client_secret_basic',
          issuer: context.issuer,
        },
      });
    case 'auth/basic-cimd':
      return new Person({ clientMetadataUrl: METADATA_DOCUMENT });
    case 'auth/dpop':
    case 'auth/dpop-nonce':
      return new Person({ dpop: await sdk.DpopSession.create() });
    case 'auth/wif-jwt-bearer':
      return new Workload(clientId, context.valid_jwt);
    default:
      return new Person();
  }
}

// Enterprise-managed authorization: the identity provider vouches, no person is asked.
async function vouched(sdk, context, { authorizationServerUrl, resourceUrl, scope, fetchFn }) {
  const grant = await sdk.requestJwtAuthorizationGrant({
    tokenEndpoint: context.idp_token_endpoint,
    audience: authorizationServerUrl,
    resource: resourceUrl,
    idToken: context.idp_id_token,
    clientId: context.idp_client_id,
    scope,
    fetchFn,
  });
  return grant.jwtAuthGrant;
}

// Does it; where the SDK sent a person away for permission, hands in what they brought back and does it again.
export async function withPermission(sdk, transport, person, act) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const answer = person.answer;
      person.answer = undefined;
      if (!(error instanceof sdk.UnauthorizedError) || !answer) throw error;
      await transport().finishAuth(answer);
    }
  }
}
