// A visit to server-everything with the official TypeScript SDK 1.x: each feature once, and what was seen as one JSON line.
//
// Usage: tour_everything.mjs URL NAME, where NAME is this client's own, found again in what it is asked and in what it answers.
// PEERS names the folder that holds node_modules.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [url, name] = process.argv.slice(2);
const require = createRequire(join(process.env.PEERS, 'package.json'));
const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
const types = require('@modelcontextprotocol/sdk/types.js');

const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } };
const client = new Client({ name, version: '1.0.0' }, { capabilities });
const asked = { sampling: 0, elicitation: 0, roots: 0 };

client.setRequestHandler(types.CreateMessageRequestSchema, async () => {
  asked.sampling += 1;
  return { role: 'assistant', model: 'none', content: { type: 'text', text: `said by ${name}` } };
});
client.setRequestHandler(types.ElicitRequestSchema, async () => {
  asked.elicitation += 1;
  return { action: 'accept', content: { name, check: true, integer: 7 } };
});
client.setRequestHandler(types.ListRootsRequestSchema, async () => {
  asked.roots += 1;
  return { roots: [{ uri: `file:///${name}`, name }] };
});

// Updates come on the GET stream of the session, and on no other.
let updated;
const update = new Promise((resolve) => (updated = resolve));
client.setNotificationHandler(types.ResourceUpdatedNotificationSchema, ({ params }) => updated(params.uri));

const transport = new StreamableHTTPClientTransport(new URL(url));
const text = ({ content }) => content.filter((part) => part.type === 'text').map((part) => part.text).join(' ');
const call = async (tool, args = {}, options = {}) =>
  text(await client.callTool({ name: tool, arguments: args }, undefined, options));
const replica = async () => JSON.parse(await call('get-env')).REPLICA;

await client.connect(transport);
const seen = { revision: transport.protocolVersion, replicas: [await replica()] };
seen.tools = (await client.listTools()).tools.map((tool) => tool.name).sort();
seen.prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name).sort();
seen.echo = await call('echo', { message: name });
seen.sum = await call('get-sum', { a: 19, b: 23 });

seen.progress = [];
const onprogress = ({ progress, total }) => seen.progress.push(`${progress}/${total}`);
seen.long = await call('trigger-long-running-operation', { duration: 0.6, steps: 3 }, { onprogress });

seen.sampled = (await call('trigger-sampling-request', { prompt: 'say it' })).includes(`said by ${name}`);
seen.elicited = (await call('trigger-elicitation-request')).includes(name);
seen.roots = (await call('get-roots-list')).includes(`file:///${name}`);

const { resources } = await client.listResources();
seen.resources = resources.map((resource) => resource.uri).sort();
const uri = resources[0].uri;
seen.read = (await client.readResource({ uri })).contents[0].uri === uri;
seen.templates = (await client.listResourceTemplates()).resourceTemplates.map((template) => template.uriTemplate).sort();
await client.subscribeResource({ uri });
await call('toggle-subscriber-updates');
seen.updated = (await update) === uri;
await call('toggle-subscriber-updates');
await client.unsubscribeResource({ uri });

const prompt = await client.getPrompt({ name: 'args-prompt', arguments: { city: name } });
seen.prompt = prompt.messages[0].content.text.includes(name);
const completion = await client.complete({
  ref: { type: 'ref/prompt', name: 'completable-prompt' },
  argument: { name: 'department', value: 'E' },
});
seen.completed = completion.completion.values;

seen.replicas.push(await replica());
seen.asked = { sampling: asked.sampling, elicitation: asked.elicitation, roots: asked.roots > 0 };
await transport.terminateSession();
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);
