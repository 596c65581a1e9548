// What the suite reads: resources, prompts, completions, and the pieces that tools return as well.
import { deflateSync, crc32 } from 'node:zlib';

import { form } from './server_rounds.mjs';
import { object, sdk } from './server_sdk.mjs';

/** The smallest picture: one red pixel as PNG. */
function pixel() {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const red = deflateSync(Buffer.from([0, 255, 0, 0]));
  return Buffer.concat([start, chunk('IHDR', header), chunk('IDAT', red), chunk('IEND', Buffer.alloc(0))]);
}

/** The shortest sound: one silent sample as WAV. */
function silence() {
  const wave = Buffer.alloc(45);
  wave.write('RIFF', 0);
  wave.writeUInt32LE(37, 4);
  wave.write('WAVEfmt ', 8);
  wave.writeUInt32LE(16, 16);
  [1, 1].forEach((half, at) => wave.writeUInt16LE(half, 20 + 2 * at));
  [8000, 8000].forEach((word, at) => wave.writeUInt32LE(word, 24 + 4 * at));
  [1, 8].forEach((half, at) => wave.writeUInt16LE(half, 32 + 2 * at));
  wave.write('data', 36);
  wave.writeUInt32LE(1, 40);
  wave.writeUInt8(0x80, 44);
  return wave;
}

export const PIXEL = pixel().toString('base64');
export const SILENCE = silence().toString('base64');

export function textOfResource(uri, words, mimeType = 'text/plain') {
  return { type: 'resource', resource: { uri, mimeType, text: words } };
}

const says = (...contents) => ({ messages: contents.map((content) => ({ role: 'user', content })) });

export function offerResources(server) {
  const offer = (name, mimeType, content) =>
    server.registerResource(name, `test://${name}`, { description: `The ${name}.`, mimeType }, (uri) => ({
      contents: [{ uri: uri.href, mimeType, ...content }],
    }));
  offer('static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  offer('static-binary', 'image/png', { blob: PIXEL });
  offer('watched-resource', 'text/plain', { text: 'Nothing has happened yet.' });

  const template = new sdk.ResourceTemplate('test://template/{id}/data', { list: undefined });
  const mimeType = 'application/json';
  server.registerResource('template', template, { description: 'By id.', mimeType }, (uri, { id }) => {
    const words = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { contents: [{ uri: uri.href, mimeType, text: words }] };
  });
}

/** The two requests of the older revisions, for which the SDK has no default. */
export function offerSubscriptions(server) {
  const watched = new Set();
  server.server.setRequestHandler('resources/subscribe', ({ params }) => (watched.add(params.uri), {}));
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => (watched.delete(params.uri), {}));
}

export function offerPrompts(server) {
  server.registerPrompt('test_simple_prompt', { description: 'Without arguments.' }, () =>
    says({ type: 'text', text: 'This is a simple prompt for testing.' }),
  );

  const string = { type: 'string' };
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'With two arguments.', argsSchema: object({ arg1: string, arg2: string }) },
    ({ arg1, arg2 }) => says({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource in it.', argsSchema: object({ resourceUri: string }) },
    ({ resourceUri }) =>
      says(textOfResource(resourceUri, 'Embedded resource content for testing.'), {
        type: 'text',
        text: 'Please process the embedded resource above.',
      }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'With a picture in it.' }, () =>
    says({ type: 'image', data: PIXEL, mimeType: 'image/png' }, { type: 'text', text: 'Please analyze the image above.' }),
  );
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks before it answers.' }, (ctx) => {
    const answer = sdk.acceptedContent(ctx.mcpReq.inputResponses, 'user_context');
    if (answer) return says({ type: 'text', text: `Work in this context: ${answer.context}` });
    const question = form('What context should the prompt use?', { context: 'string' });
    return sdk.inputRequired({ inputRequests: { user_context: question } });
  });
}

export function offerCompletion(server) {
  const words = ['paris', 'park', 'party', 'testing'];
  server.server.registerCapabilities({ completions: {} });
  server.server.setRequestHandler('completion/complete', ({ params }) => {
    const values = words.filter((word) => word.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
}
