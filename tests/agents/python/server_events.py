"""Keeps what was said on every stream of this process, so that a client that lost one can resume it."""

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import JSONRPCMessage

# A conformance run says a few hundred things; the oldest are forgotten first.
EVENTS_MAX = 10_000


class Remembered(EventStore):
    """Events in the order they happened. Ids are positions, and no other process knows them."""

    def __init__(self) -> None:
        self.events: dict[str, tuple[str, JSONRPCMessage | None]] = {}
        self.count = 0

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self.count += 1
        self.events[str(self.count)] = (stream_id, message)
        if len(self.events) > EVENTS_MAX:
            del self.events[next(iter(self.events))]
        return str(self.count)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        if last_event_id not in self.events:
            return None
        stream = self.events[last_event_id][0]
        later = int(last_event_id) + 1
        for position in range(later, self.count + 1):
            owner, message = self.events.get(str(position), (None, None))
            # A priming event has no message: it marks where a stream began, and is not repeated.
            if owner == stream and message is not None:
                await send_callback(EventMessage(message, str(position)))
        return stream
