"""Requests and answers of all revisions that must arrive as they were sent: each case is (name, request, answer), as the bytes sent."""

import json

JSON = b"Content-Type: application/json"
STREAM = b"Content-Type: text/event-stream"
SESSION = b"Mcp-Session-Id: 4f2a9c1e-77aa-4b1c-9d4b-000000000001"
REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"


def message(head, fields, body=b"", chunks=None):
    """A message with a length, or in chunks of these sizes, or with neither where `chunks` is an empty list."""
    lines = [head, *fields]
    if chunks is None:
        if body or not head.startswith((b"GET", b"DELETE", b"OPTIONS")):
            lines.append(b"Content-Length: %d" % len(body))
    elif chunks:
        lines.append(b"Transfer-Encoding: chunked")
        body = chunked(body, chunks)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body, sizes):
    out, at, turn = b"", 0, 0
    while at < len(body):
        part = body[at : at + sizes[turn % len(sizes)]]
        out += b"%x\r\n%s\r\n" % (len(part), part)
        at, turn = at + len(part), turn + 1
    return out + b"0\r\n\r\n"


def request(body=b"", fields=(), verb=b"POST", path=b"/weather/mcp", chunks=None, kind=JSON):
    accept = b"Accept: text/event-stream" if verb == b"GET" else b"Accept: application/json, text/event-stream"
    usual = [b"Host: localhost", accept, *([kind] if body else [])]
    return message(verb + b" " + path + b" HTTP/1.1", [*usual, *fields], body, chunks)


def answer(body=b"", fields=(JSON,), status=b"200 OK", chunks=None):
    if status[:3] in (b"204", b"304"):
        return message(b"HTTP/1.1 " + status, fields, b"", [])
    return message(b"HTTP/1.1 " + status, fields, body, chunks)


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def call(method, params=None, number=7):
    told = {"jsonrpc": "2.0", "id": number, "method": method}
    return {**told, "params": params} if params is not None else told


def result(value, number=7):
    return {"jsonrpc": "2.0", "id": number, "result": value}


def of_revision(revision, method, params, in_session=True):
    """The headers that a client of this revision sends."""
    fields = []
    if revision >= "2025-06-18" and method != "initialize":
        fields.append(b"MCP-Protocol-Version: " + revision.encode())
    if revision == MODERN:
        fields.append(b"Mcp-Method: " + method.encode())
        name = next((params[key] for key in ("name", "uri", "taskId") if key in params), None)
        if name is not None:
            fields.append(b"Mcp-Name: " + name.encode())
    elif in_session and method != "initialize" and revision != "2024-11-05":
        fields.append(SESSION)
    return fields


METHODS = {
    "initialize": {"capabilities": {"roots": {"listChanged": True}, "sampling": {}}, "clientInfo": {"name": "c", "version": "1"}},
    "ping": {},
    "tools/list": {"cursor": "bmV4dA=="},
    "tools/call": {"name": "forecast", "arguments": {"city": "Tromsø", "days": 3}, "_meta": {"progressToken": "p-1"}},
    "resources/list": {},
    "resources/templates/list": {},
    "resources/read": {"uri": "file:///weather/oslo.txt"},
    "resources/subscribe": {"uri": "file:///weather/oslo.txt"},
    "resources/unsubscribe": {"uri": "file:///weather/oslo.txt"},
    "prompts/list": {},
    "prompts/get": {"name": "greet", "arguments": {"who": "you"}},
    "completion/complete": {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "who", "value": "y"}},
    "logging/setLevel": {"level": "debug"},
}
MODERN_METHODS = {
    "server/discover": {},
    "tools/list": {},
    "tools/call": METHODS["tools/call"],
    "resources/list": {},
    "resources/templates/list": {},
    "resources/read": METHODS["resources/read"],
    "prompts/list": {"cursor": "2"},
    "prompts/get": METHODS["prompts/get"],
    "completion/complete": METHODS["completion/complete"],
    "subscriptions/listen": {"notifications": {"toolsListChanged": True}},
    "tasks/get": {"taskId": "task-1"},
    "tasks/update": {"taskId": "task-1", "inputResponses": {}},
    "tasks/cancel": {"taskId": "task-1"},
    "x-vendor/anything": {"deep": [[[]]]},
}


def methods():
    """Every method in every revision; how the answer comes changes from one to the next."""
    turn = 0
    for revision in (*REVISIONS, MODERN):
        for method, params in (MODERN_METHODS if revision == MODERN else METHODS).items():
            params = dict(params)
            if method == "initialize":
                params = {"protocolVersion": revision, **params}
            if revision == MODERN:
                params["_meta"] = {"io.modelcontextprotocol/protocolVersion": MODERN, **params.get("_meta", {})}
            body = text(call(method, params))
            told = text(result({"of": method, "revision": revision, "content": [{"type": "text", "text": "±1 °C"}]}))
            minted = [SESSION] if method == "initialize" and revision != "2024-11-05" else []
            event = b"event: message\ndata: " + told + b"\n\n"
            answered = (
                answer(told, [JSON, *minted]),
                answer(told, [*minted, JSON], chunks=[11]),
                answer(event, [STREAM, b"Cache-Control: no-cache", *minted], chunks=[len(event)]),
                answer(b": hello\n\n" + event, [STREAM, *minted], chunks=[3, 50]),
            )[turn % 4]
            sizes = (None, None, [20], [1, 64])[turn % 4]
            name = f"{revision}_{method.replace('/', '_')}"
            yield name, request(body, of_revision(revision, method, params), chunks=sizes), answered
            turn += 1
    for number, (revision, more) in enumerate([("2025-11-25", b""), ("2025-06-18", b" \r\n")]):
        for method, params in {
            "initialized": None,
            "cancelled": {"requestId": 7, "reason": "no need"},
            "progress": {"progressToken": "p-1", "progress": 0.5, "total": 1.0},
            "roots/list_changed": None,
        }.items():
            note = {"jsonrpc": "2.0", "method": f"notifications/{method}", **({"params": params} if params else {})}
            fields = of_revision(revision, "", {})
            name = f"{revision}_notifications_{method.replace('/', '_')}"
            yield name, request(text(note) + more, fields), answer(b"", [], b"202 Accepted")
    for method, params in {"tasks/get": {"taskId": "t"}, "tasks/result": {"taskId": "t"}, "tasks/list": {}, "tasks/cancel": {"taskId": "t"}}.items():
        fields = of_revision("2025-11-25", method, params)
        yield f"2025-11-25_{method.replace('/', '_')}", request(text(call(method, params)), fields), answer(text(result({})))


def bodies():
    legacy = [b"MCP-Protocol-Version: 2025-11-25", SESSION]
    inner = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","arguments":%s}}'
    for name, odd in {
        "number_1E400": b"1E400",
        "number_minus_zero": b"-0.0",
        "number_with_a_zero_behind": b"1.10",
        "number_of_20_digits": b"12345678901234567890",
        "number_of_60_digits": b"9" * 60 + b".0e-0",
        "number_with_capital_exponent": b"[1E+2,1e2,100,1.0E2]",
        "escapes": b'"\\u0041\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\"',
        "escapes_that_are_not_needed": b'{"\\u0061":1,"a":2,"\\u0062":"\\u007f"}',
        "letters_beyond_ascii": '"Tromsø 気温 🌡 \u2028 \u00ad"'.encode(),
        "delete_and_c1_controls": '"\x7f\u0080\u009f"'.encode(),
        "blanks_of_every_kind": b' { \t"a"\r\n:\n[ ] ,\r"b" :{ } } ',
        "keys_twice_inside_arguments": b'{"a":1,"a":2,"name":3,"name":4}',
        "keys_that_are_empty": b'{"":{"":[""]}}',
        "nested_60_deep": b"[" * 60 + b"]" * 60,
        "null_and_booleans": b"[null,true,false]",
        "an_array_of_arguments": b'{"a":[1,[2,[3]]]}',
        "base64_image": b'"' + b"iVBORw0KGgo=" * 300 + b'"',
    }.items():
        sent = inner % odd
        told = b'{"jsonrpc":"2.0","id":7,"result":{"content":[],"structuredContent":%s}}' % odd
        yield name, request(sent, legacy), answer(told)
    for name, sent in {
        "unknown_members": b'{"x":1,"jsonrpc":"2.0","id":7,"y":{"method":"no"},"method":"ping","z":[]}',
        "members_in_another_order": b'{"params":{},"method":"ping","id":7,"jsonrpc":"2.0"}',
        "escaped_members": b'{"jsonrp\\u0063":"2.0","\\u0069d":7,"meth\\u006fd":"ping"}',
        "id_a_string": b'{"jsonrpc":"2.0","id":"\\u0041-\xc3\xa9 7","method":"ping"}',
        "id_an_empty_string": b'{"jsonrpc":"2.0","id":"","method":"ping"}',
        "id_negative": b'{"jsonrpc":"2.0","id":-7,"method":"ping"}',
        "id_in_another_spelling": b'{"jsonrpc":"2.0","id":7.0e0,"method":"ping"}',
        "id_of_30_digits": b'{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"ping"}',
        "params_null": b'{"jsonrpc":"2.0","id":7,"method":"ping","params":null}',
        "line_end_behind": b'{"jsonrpc":"2.0","id":7,"method":"ping"}\r\n',
        "blanks_in_front": b' \n\t{"jsonrpc":"2.0","id":7,"method":"ping"}',
        "an_unknown_method": b'{"jsonrpc":"2.0","id":7,"method":"vendor.x/\xe2\x98\x83"}',
        "posted_result": b'{"jsonrpc":"2.0","id":"s-1","result":{"roots":[]}}',
        "posted_error": b'{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"User rejected","data":{"n":1.50}}}',
        "batch_of_calls": b'[{"jsonrpc":"2.0","id":1,"method":"ping"} , {"jsonrpc":"2.0","id":"1","method":"tools/list"}]',
        "batch_of_notifications": b'[{"jsonrpc":"2.0","method":"notifications/a"},{"jsonrpc":"2.0","method":"notifications/a"}]',
        "batch_of_results": b'[{"jsonrpc":"2.0","id":1,"result":1.0},{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":""}}]',
        "batch_of_all_kinds": b'\n[{"id":1,"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"},{"jsonrpc":"2.0","id":3,"result":null}]\n',
    }.items():
        fields = [SESSION] if name.startswith("batch") else legacy
        yield name, request(sent, fields), answer(b"[" + text(result({})) + b"]" if "calls" in name else text(result({})))
    yield "body_that_is_no_json", request(b"a=1&b=\xff\x00", legacy, kind=b"Content-Type: text/plain"), answer(b"\x00\xff\xfe", [b"Content-Type: image/x"])
    yield "body_that_is_compressed", request(b"\x1f\x8b\x08\x00zz", [*legacy, b"Content-Encoding: gzip"]), answer(b"\x1f\x8b\x08\x00", [JSON, b"Content-Encoding: gzip"])
    yield "answer_that_is_no_json", request(text(call("ping")), legacy), answer(b"<h1>no</h1>", [b"Content-Type: text/html"])
    yield "answer_until_the_connection_ends", request(text(call("ping")), legacy), answer(text(result({})), [JSON, b"Connection: close"], chunks=[])
    yield "answer_with_chunk_extensions", request(text(call("ping")), legacy), answer(chunks=[], fields=[JSON, b"Transfer-Encoding: chunked"]) + b'2;a=b\r\n{}\r\n0;c="d"\r\n\r\n'
    yield "answer_with_a_trailer", request(text(call("ping")), legacy), answer(chunks=[], fields=[JSON, b"Transfer-Encoding: chunked"]) + b"2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n"
    yield "call_with_chunk_extensions", request(b"", [JSON, *legacy, b"Transfer-Encoding: chunked"], chunks=[]) + b"00028;a\r\n" + b'{"jsonrpc":"2.0","id":7,"method":"ping"}' + b"\r\n0\r\n\r\n", answer(b"{}")
    yield "call_with_a_trailer", request(b"", [JSON, *legacy, b"Transfer-Encoding: chunked"], chunks=[]) + b"28\r\n" + b'{"jsonrpc":"2.0","id":7,"method":"ping"}' + b"\r\n0\r\nX-Sum: 1\r\n\r\n", answer(b"{}")


def headers():
    body = text(call("ping"))
    for name, fields in {
        "unknown": [b"X-Unknown_header.a: b", b"x-LOWER-upper: C", b"!#$%&'*+-.^_`|~: odd"],
        "params": [b"Mcp-Param-a_b: 1", b"Mcp-Param-.a.b: 2", b"Mcp-Param-a!b: 3", b"MCP-PARAM-City: =?base64?VHJvbXPDuA==?="],
        "param_of_letters_beyond_ascii": [b"Mcp-Param-City: Troms\xc3\xb8", b"X-Latin: Troms\xf8"],
        "the_same_again": [b"X-Again: 1", b"X-Other: 2", b"X-Again: 3", b"x-again: 1"],
        "empty": [b"X-Empty: ", b"X-Comma: ,", b"X-Quotes: \"a, b\";c='d'"],
        "blanks_inside": [b"X-Blanks: a  b\tc"],
        "cookies": [b"Cookie: a=1; b=2", b"Cookie: c=3"],
        "tracing": [b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"tracestate: a=1,b=2", b"baggage: k=v"],
        "credentials": [b"Authorization: Bearer abc.def.ghi", b"X-Api-Key: k"],
        "accept_in_another_spelling": [b"accept-language: nb;q=0.9, *", b"ACCEPT-ENCODING: gzip, br"],
        "forwarded": [b"Forwarded: for=1.2.3.4", b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-Proto: https", b"Via: 1.1 a"],
        "mesh_timeout": [b"X-Mesh-Timeout: 30"],
        "long": [b"X-Long: " + b"a" * 8_000],
        "sixty": [b"X-Number-%d: %d" % (n, n) for n in range(60)],
        "names_like_ours": [b"X-Outrigger-A: 1", b"Outriggers: 2", b"Outrigger: 3"],
    }.items():
        told = [JSON, *[line for line in fields if not line.startswith((b"Cookie", b"Authorization"))], b"Set-Cookie: a=1", b"Set-Cookie: b=2"]
        yield name, request(body, [b"MCP-Protocol-Version: 2025-11-25", SESSION, *fields]), answer(text(result({})), told)
    queries = b"/weather/mcp?a=%20b&c=[d]{e}|f&&=;/?:@!$'()*,"
    yield "a_query", request(body, [SESSION], path=queries), answer(text(result({})))
    yield "a_query_that_is_empty", request(body, [SESSION], path=b"/weather/mcp?"), answer(text(result({})))


def verbs():
    legacy = [b"MCP-Protocol-Version: 2025-11-25", SESSION]
    event = b"id: 1\ndata: {}\n\n"
    yield "get_stream", request(verb=b"GET", fields=legacy), answer(event, [STREAM], chunks=[7])
    yield "get_resumed", request(verb=b"GET", fields=[*legacy, b"Last-Event-ID: 4_\xc3\xa9 7"]), answer(event, [STREAM], chunks=[99])
    yield "get_refused", request(verb=b"GET", fields=legacy), answer(b"no", [b"Allow: POST, DELETE", b"Content-Type: text/plain"], b"405 Method Not Allowed")
    yield "delete", request(verb=b"DELETE", fields=legacy), answer(b"", [], b"204 No Content")
    yield "delete_refused", request(verb=b"DELETE", fields=legacy), answer(b"", [b"Allow: POST"], b"405 Not Here, Sorry")
    yield "options", request(verb=b"OPTIONS", fields=[b"Origin: http://localhost:3000", b"Access-Control-Request-Method: POST"]), answer(
        b"", [b"Access-Control-Allow-Origin: http://localhost:3000", b"Vary: Origin"], b"204 No Content"
    )
    yield "unknown_verb", request(b"<x/>", verb=b"PROPFIND", kind=b"Content-Type: text/xml"), answer(b"", [], b"501 Not Implemented")
    for status in b"400 Bad Request", b"401 Unauthorized", b"403 Forbidden", b"404 Not Found", b"429 Too Many Requests", b"500 Oh", b"299 Odd":
        fields = [JSON, b'WWW-Authenticate: Bearer realm="x", resource_metadata="https://a/b"', b"Retry-After: 3"]
        error = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"said so","data":{"n":1.0}}}'
        name = f"answer_{status[:3].decode()}"
        yield name, request(text(call("tools/call", {"name": "a"})), legacy), answer(error, fields, status)
    modern = [b"MCP-Protocol-Version: 2026-07-28", b"Mcp-Method: tools/call", b"Mcp-Name: =?base64?Zm9yZWNhc3Q=?="]
    yield "modern_mismatch_is_the_agents_to_tell", request(text(call("other")), modern), answer(text({"error": {"code": -32020}}), status=b"400 Bad Request")
    yield "modern_body_is_the_agents_to_read", request(b'{"id":7,"id":8,\xff', modern), answer(text({"error": {"code": -32700}}), status=b"400 Bad Request")
    later = [b"MCP-Protocol-Version: 2031-01-01", b"Mcp-Method: new/thing"]
    yield "a_revision_yet_to_come", request(text(call("new/thing")), later), answer(text(result({"resultType": "new"})))


def streams():
    body = text(call("tools/call", {"name": "slow"}))
    fields = [b"MCP-Protocol-Version: 2025-11-25", SESSION]
    data = text(result({"content": []}))
    for name, stream in {
        "lf": b"event: message\ndata: " + data + b"\n\n",
        "crlf": b"event: message\r\ndata: " + data + b"\r\n\r\n",
        "cr": b"event: message\rdata: " + data + b"\r\r",
        "mixed_line_ends": b"event: a\ndata: 1\r\n\rdata: " + data + b"\r\n\n",
        "ids": b"id: 1\ndata: {}\n\nid:2\ndata: {}\n\nid\ndata: " + data + b"\n\n",
        "retry": b"retry: 1500\n\nretry: no\n\ndata: " + data + b"\n\n",
        "priming": b"id: stream-1_0\nretry: 500\ndata:\n\nid: stream-1_1\ndata: " + data + b"\n\n",
        "comments": b": hello\n:\n\n:keep-alive\r\n\r\ndata: " + data + b"\n\n",
        "data_in_many_lines": b"data: {\ndata:   \"jsonrpc\":\ndata: \"2.0\"}\ndata\ndata:\n\ndata: " + data + b"\n\n",
        "no_blank_behind_the_colon": b"event:message\ndata:" + data + b"\n\n",
        "two_blanks_behind_the_colon": b"data:  " + data + b"\n\n",
        "unknown_fields": b"foo: bar\n:x\nbaz\ndata: " + data + b"\n\n",
        "byte_order_mark": b"\xef\xbb\xbfdata: " + data + b"\n\n",
        "letters_beyond_ascii": "data: Tromsø 気温 🌡\n\n".encode() + b"data: " + data + b"\n\n",
        "bytes_that_are_no_utf_8": b"data: \xff\xfe\x00\n\ndata: " + data + b"\n\n",
        "no_end": b"data: {}\n\ndata: " + data,
        "empty_lines": b"\n\n\n\r\n\r\ndata: " + data + b"\n\n",
        "events_of_the_server": b'event: message\ndata: {"jsonrpc":"2.0","id":"s-1","method":"sampling/createMessage","params":{}}\n\ndata: ' + data + b"\n\n",
        "a_long_event": b"data: " + b"x" * 20_000 + b"\n\ndata: " + data + b"\n\n",
        "a_batch": b"data: [" + data + b"," + data + b"]\n\n",
    }.items():
        for how, sizes in ("in_chunks", [5, 1, 200]), ("with_a_length", None), ("until_the_end", []):
            if how == "in_chunks" or name in ("lf", "cr", "no_end"):
                told = [STREAM, b"Cache-Control: no-cache, no-transform", b"X-Accel-Buffering: no"]
                yield f"{name}_{how}", request(body, fields), answer(stream, told, chunks=sizes)


GROUPS = {"method": methods, "body": bodies, "header": headers, "verb": verbs, "stream": streams}
