// The official SDK as tests/setup.sh installed it; one door, for these files stand outside its node_modules.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../.peers/node/package.json', import.meta.url));

export const sdk = require('@modelcontextprotocol/server');
export const node = require('@modelcontextprotocol/node');

/** A schema of an object, as the SDK takes it. */
export function object(properties, required = Object.keys(properties)) {
  return sdk.fromJsonSchema({ type: 'object', properties, required });
}

export const text = (words) => ({ content: [{ type: 'text', text: words }] });
