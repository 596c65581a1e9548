// The client of the official conformance suite on the official TypeScript SDK.
//
// Usage: client_conformance.mjs URL. PEERS names the folder that holds node_modules. The suite names the scenario in
// MCP_CONFORMANCE_SCENARIO, the revision in MCP_CONFORMANCE_PROTOCOL_VERSION and what else there is to know (credentials,
// calls to make) as JSON in MCP_CONFORMANCE_CONTEXT. Every scenario is what a user of the SDK would write for it; nothing
// is written on the wire by hand.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { provider, withPermission } from './client_auth.mjs';

const sdk = createRequire(join(process.env.PEERS, 'package.json'))('@modelcontextprotocol/client');
const url = new URL(process.argv.at(-1));
const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const revision = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');

// Revisions with a handshake are the default of the SDK; from 2026-07-28 on it is asked to look for the newest.
const negotiation = revision <= '2025-11-25' ? {} : { versionNegotiation: { mode: 'auto' } };

function make(capabilities = {}) {
  return new sdk.Client({ name: 'conformance-client', version: '1.0.0' }, { capabilities, ...negotiation });
}

async function session(client, use, options) {
  const transport = new sdk.StreamableHTTPClientTransport(url, options);
  await client.connect(transport);
  await use(client);
  if (transport.sessionId) await transport.terminateSession();
  await client.close();
}

// Says yes and confirms what asks for a yes; what has a default the SDK fills in.
function accept({ params }) {
  const properties = Object.entries(params.requestedSchema?.properties ?? {});
  const confirmed = properties.filter(([, schema]) => schema.type === 'boolean' && schema.default === undefined);
  return { action: 'accept', content: Object.fromEntries(confirmed.map(([name]) => [name, true])) };
}

async function look() {
  await session(make(), (client) => client.listTools());
}

async function lookWithEverythingDeclared() {
  const client = make({ elicitation: { form: {} }, sampling: {}, roots: {} });
  client.setRequestHandler('elicitation/create', accept);
  client.setRequestHandler('sampling/createMessage', () => ({
    role: 'assistant',
    content: { type: 'text', text: 'sampled' },
    model: 'none',
  }));
  client.setRequestHandler('roots/list', () => ({ roots: [] }));
  await session(client, () => client.listTools());
}

async function addNumbers() {
  await session(make(), async (client) => {
    await client.listTools();
    await client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } });
  });
}

async function answerElicitation() {
  const client = make({ elicitation: { form: { applyDefaults: true } } });
  client.setRequestHandler('elicitation/create', accept);
  await session(client, async () => {
    await client.listTools();
    await client.callTool({ name: 'test_client_elicitation_defaults', arguments: {} });
  });
}

// The call waits until the SDK listens on its own stream: the suite would take that GET for the reconnection.
async function outliveAClosedStream() {
  const { promise: listens, resolve } = Promise.withResolvers();
  const seen = async (target, init) => {
    const response = await fetch(target, init);
    if (init?.method === 'GET') resolve();
    return response;
  };
  const use = async (client) => {
    await client.listTools();
    await listens;
    await client.callTool({ name: 'test_reconnection', arguments: {} });
  };
  await session(make(), use, { fetch: seen });
}

// Another call goes out while the first is being answered for: what belongs to one stays with it.
async function beAskedForInput() {
  const client = make({ elicitation: { form: {} } });
  client.setRequestHandler('elicitation/create', async (request) => {
    await client.callTool({ name: 'test_mrtr_unrelated', arguments: {} });
    return accept(request);
  });
  await session(client, async () => {
    await client.listTools();
    for (const name of ['test_mrtr_echo_state', 'test_mrtr_no_state', 'test_mrtr_no_result_type']) {
      await client.callTool({ name, arguments: {} });
    }
  });
}

async function useEverything() {
  await session(make(), async (client) => {
    for (const { name } of (await client.listTools()).tools) await client.callTool({ name, arguments: {} });
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
  });
}

async function makeTheCallsAskedFor() {
  await session(make(), async (client) => {
    await client.listTools();
    for (const call of context.toolCalls) await client.callTool(call);
  });
}

// The SDK leaves out tools whose header annotations are wrong; whatever it lists is called.
async function callEveryToolThatIsLeft() {
  await session(make(), async (client) => {
    for (const { name, inputSchema } of (await client.listTools()).tools) {
      const names = Object.keys(inputSchema.properties ?? {});
      await client.callTool({ name, arguments: Object.fromEntries(names.map((one) => [one, 'eu-west1'])) });
    }
  });
}

async function echoASchema() {
  await session(make(), async (client) => {
    const { tools } = await client.listTools();
    const { inputSchema } = tools.find(({ name }) => name === 'json_schema_2020_12_tool');
    await client.callTool({ name: 'json_schema_echo', arguments: { schema: inputSchema } });
  });
}

// Lists and calls twice: an authorization server may change between, and one call may ask for more than another.
async function proveWhoItIs() {
  const authProvider = await provider(sdk, scenario, context);
  let client, transport;
  const permitted = (act) => withPermission(sdk, () => transport, authProvider, act);
  await permitted(async () => {
    client = make();
    transport = new sdk.StreamableHTTPClientTransport(url, { authProvider });
    await client.connect(transport);
  });
  await permitted(() => client.listTools());
  await permitted(() => client.callTool({ name: 'test-tool', arguments: {} }));
  await permitted(() => client.listTools());
  await client.close();
}

const scenarios = {
  initialize: look,
  tools_call: addNumbers,
  'elicitation-sep1034-client-defaults': answerElicitation,
  'sse-retry': outliveAClosedStream,
  'request-metadata': lookWithEverythingDeclared,
  'sep-2322-client-request-state': beAskedForInput,
  'http-standard-headers': useEverything,
  'http-custom-headers': makeTheCallsAskedFor,
  'http-invalid-tool-headers': callEveryToolThatIsLeft,
  'json-schema-ref-no-deref': look,
  'json-schema-2020-12-preservation': echoASchema,
};

await (scenario.startsWith('auth/') ? proveWhoItIs : scenarios[scenario])();
