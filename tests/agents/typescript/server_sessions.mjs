// Sessions of the revisions before 2026: one transport and one server each, known to this process alone.
import { randomUUID } from 'node:crypto';

import { sdk } from './server_sdk.mjs';

// How soon a client should come back to a stream that was closed on it.
const RETRY_MILLISECONDS = 100;

// A conformance run says a few hundred things in a session; the oldest are forgotten first.
const EVENTS_MAX = 1000;
const SESSIONS_MAX = 1000;

/** Events in the order they happened; ids are positions. */
class Remembered {
  events = new Map();
  count = 0;

  async storeEvent(streamId, message) {
    this.count += 1;
    this.events.set(String(this.count), { streamId, message });
    if (this.events.size > EVENTS_MAX) this.events.delete(this.events.keys().next().value);
    return String(this.count);
  }

  async getStreamIdForEventId(eventId) {
    return this.events.get(eventId)?.streamId;
  }

  async replayEventsAfter(lastEventId, { send }) {
    const streamId = this.events.get(lastEventId)?.streamId;
    for (const [eventId, event] of this.events) {
      // A priming event is an empty object: it marks where a stream began, and is not repeated.
      const speaks = Object.keys(event.message).length > 0;
      if (Number(eventId) > Number(lastEventId) && event.streamId === streamId && speaks) {
        await send(eventId, event.message);
      }
    }
    return streamId;
  }
}

const refusal = (status, message) =>
  Response.json({ jsonrpc: '2.0', error: { code: -32001, message }, id: null }, { status });

/** Serves requests of the older revisions; `make` gives a server for each new session. */
export function sessions(make) {
  const open = new Map();
  return async (request, options) => {
    const id = request.headers.get('mcp-session-id');
    if (id !== null) {
      return open.get(id)?.handleRequest(request, options) ?? refusal(404, 'this session is not known here');
    }
    if (open.size >= SESSIONS_MAX) return refusal(503, 'too many sessions');
    const transport = new sdk.WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Remembered(),
      retryInterval: RETRY_MILLISECONDS,
      onsessioninitialized: (name) => void open.set(name, transport),
      onsessionclosed: (name) => void open.delete(name),
    });
    await make().connect(transport);
    return transport.handleRequest(request, options);
  };
}
