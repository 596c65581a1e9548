// A client on the official TypeScript SDKs, driven line by line; the orders are those of client_mcp.py.
//
// Usage: client_ts.mjs URL MODE, where MODE is `legacy` (SDK 1.x), `sse` (the same with the transport of 2024-11-05), `legacy2` (client 2.x as it is) or `auto` (client 2.x
// that looks for the newest revision first). PEERS names the folder that holds node_modules.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

const [url, mode] = process.argv.slice(2);
const require = createRequire(join(process.env.PEERS, 'package.json'));

function make() {
  const who = { name: 'mesh-test', version: '1.0.0' };
  if (mode === 'sse') {
    const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
    const { SSEClientTransport } = require('@modelcontextprotocol/sdk/client/sse.js');
    return { client: new Client(who), transport: new SSEClientTransport(new URL(url)) };
  }
  if (mode === 'legacy') {
    const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
    return { client: new Client(who), transport: new StreamableHTTPClientTransport(new URL(url)) };
  }
  const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
  const options = mode === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {};
  return { client: new Client(who, options), transport: new StreamableHTTPClientTransport(new URL(url)) };
}

const sessions = new Map();

async function obey(order) {
  if (order.do === 'open') {
    const session = make();
    await session.client.connect(session.transport);
    sessions.set(order.session, session);
    return session.transport.protocolVersion ?? '';
  }
  const session = sessions.get(order.session);
  if (!session) throw new Error('this session is not open');
  if (order.do === 'close') {
    if (session.transport.sessionId) await session.transport.terminateSession();
    await session.client.close();
    sessions.delete(order.session);
    return 'closed';
  }
  if (order.do === 'tools') {
    const { tools } = await session.client.listTools();
    return tools.map((tool) => tool.name).sort().join(',');
  }
  const result = await session.client.callTool({ name: order.tool, arguments: order.arguments ?? {} });
  const text = result.content.filter((part) => part.type === 'text').map((part) => part.text).join('');
  if (result.isError) throw new Error(text);
  return text;
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { ok: true, text: await obey(JSON.parse(line)) };
  } catch (error) {
    answer = { ok: false, error: String(error) };
  }
  console.log(JSON.stringify(answer));
}
process.exit(0);
