// The server that the official conformance suite asks for, on the official TypeScript SDK, in both eras.
//
// Usage: server_conformance.mjs. Listens on `PORT`, or on a free port of 127.0.0.1, and prints `listening HOST:PORT`.
// Everything it remembers (sessions, events, the key that signs `requestState`) belongs to this process alone.
import { createServer } from 'node:http';

import { offerCompletion, offerPrompts, offerResources, offerSubscriptions } from './server_contents.mjs';
import { offerRounds, states } from './server_rounds.mjs';
import { node, sdk } from './server_sdk.mjs';
import { sessions } from './server_sessions.mjs';
import { offerTools } from './server_tools.mjs';

const CACHEABLE = [
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
];

const changes = { tool: false, prompt: false, notify: undefined };

function make(legacy) {
  const capabilities = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    logging: {},
  };
  const cacheHints = Object.fromEntries(CACHEABLE.map((method) => [method, { ttlMs: 1000, cacheScope: 'public' }]));
  const requestState = { verify: states.verify };
  const server = new sdk.McpServer(
    { name: 'conformance-typescript', version: '1.0.0' },
    { capabilities, cacheHints, requestState },
  );
  offerTools(server, changes);
  offerRounds(server);
  offerResources(server);
  offerPrompts(server);
  offerCompletion(server);
  if (legacy) offerSubscriptions(server);
  return server;
}

const modern = sdk.createMcpHandler(() => make(false), { legacy: 'reject' });
const older = sessions(() => make(true));
changes.notify = modern.notify;

const serve = node.toNodeHandler({
  fetch: async (request, options) =>
    (await sdk.isLegacyRequest(request, options?.parsedBody)) ? older(request, options) : modern.fetch(request, options),
});
const hostIsLocal = node.localhostHostValidation();
const originIsLocal = node.localhostOriginValidation();

const listener = createServer((request, response) => {
  if (!hostIsLocal(request, response) || !originIsLocal(request, response)) return;
  if (new URL(request.url, 'http://127.0.0.1').pathname !== '/mcp') {
    response.writeHead(404).end();
    return;
  }
  serve(request, response);
});
listener.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening 127.0.0.1:${listener.address().port}`);
});
