"""Modern calls whose head does not say what their body says, for a route that reads bodies: (name, bytes, status, reason)."""

from good_cases import MODERN, call, request, text

MISMATCH = (400, "header_mismatch")
META = {"_meta": {"io.modelcontextprotocol/protocolVersion": MODERN}}
FORECAST = {"name": "forecast", "arguments": {"name": "other"}, **META}
VERSION = b"MCP-Protocol-Version: 2026-07-28"
METHOD = b"Mcp-Method: tools/call"
NAME = b"Mcp-Name: forecast"


def sent(body, *fields):
    return request(body if isinstance(body, bytes) else text(body), [field for field in fields if field])


def methods():
    body = call("tools/call", FORECAST)
    for name, value in {
        "another": b"tools/list",
        "another_of_the_same_class": b"prompts/get",
        "missing": None,
        "empty": b"",
        "in_capitals": b"Tools/Call",
        "cut_short": b"tools/cal",
        "longer": b"tools/calls",
        "with_a_slash_behind": b"tools/call/",
        "percent_encoded": b"tools%2Fcall",
        "in_base64": b"=?base64?dG9vbHMvY2FsbA==?=",
        "quoted": b'"tools/call"',
        "a_list": b"tools/call, tools/list",
        "with_a_parameter": b"tools/call; x=1",
        "with_a_tab_inside": b"tools/\tcall",
        "escaped_as_in_json": b"\\u0074ools/call",
    }.items():
        yield name, sent(body, VERSION, None if value is None else b"Mcp-Method: " + value, NAME), *MISMATCH
    yield "body_says_another_in_escapes", sent(text(body).replace(b"tools/call", b"tools/\\u0063all_"), VERSION, METHOD, NAME), *MISMATCH
    yield "body_is_a_batch", sent(b"[" + text(body) + b"]", VERSION, METHOD, NAME), *MISMATCH
    yield "body_is_a_batch_of_others", sent(b"[" + text(call("tools/list")) + b"]", VERSION, METHOD), *MISMATCH
    yield "body_is_a_notification", sent({"jsonrpc": "2.0", "method": "notifications/x"}, VERSION, METHOD), *MISMATCH
    yield "body_initializes", sent(call("initialize", {}), VERSION, METHOD, NAME), *MISMATCH
    yield "method_of_another_kind_and_the_same_name", sent(call("prompts/get", FORECAST), VERSION, METHOD, NAME), *MISMATCH


def names():
    for method, key in {
        "tools/call": "name",
        "prompts/get": "name",
        "resources/read": "uri",
        "tasks/get": "taskId",
        "tasks/update": "taskId",
        "tasks/cancel": "taskId",
    }.items():
        head = b"Mcp-Method: " + method.encode()
        body = call(method, {key: "forecast", "x": "other", **META})
        short = method.replace("/", "_")
        yield f"{short}_another", sent(body, VERSION, head, b"Mcp-Name: other"), *MISMATCH
        yield f"{short}_missing", sent(body, VERSION, head), *MISMATCH
        without = call(method, {f"x{key}": "forecast", **META})
        yield f"{short}_missing_in_the_body", sent(without, VERSION, head, NAME), *MISMATCH
    body = call("tools/call", FORECAST)
    for name, value in {
        "empty": b"",
        "in_capitals": b"FORECAST",
        "cut_short": b"forecas",
        "longer": b"forecast2",
        "quoted": b'"forecast"',
        "percent_encoded": b"%66orecast",
        "a_list": b"forecast, other",
        "base64_of_another": b"=?base64?b3RoZXI=?=",
        "base64_without_padding": b"=?base64?b3RoZXI?=",
        "base64_twice": b"=?base64?PT9iYXNlNjQ/Wm05eVpXTmhjM1E9Pz0=?=",
        "base64_with_a_blank": b"=?base64?Zm9y ZWNhc3Q=?=",
        "base64_for_urls": b"=?base64?Zm9yZWNhc3Q_?=",
        "base64_with_bits_left_over": b"=?base64?Zm9yZWNhc3R=?=",
        "base64_not_closed": b"=?base64?Zm9yZWNhc3Q=",
        "base64_of_bytes_that_are_no_utf_8": b"=?base64?/////w==?=",
        "base64_in_capitals": b"=?BASE64?Zm9yZWNhc3Q=?=",
        "encoded_word_of_mail": b"=?utf-8?b?Zm9yZWNhc3Q=?=",
        "name_of_the_arguments": b"other",
    }.items():
        yield name, sent(body, VERSION, METHOD, b"Mcp-Name: " + value), *MISMATCH
    for name, inside in {
        "body_says_a_number": 1,
        "body_says_null": None,
        "body_says_an_array": ["forecast"],
        "body_says_an_object": {"name": "forecast"},
    }.items():
        yield name, sent(call("tools/call", {**FORECAST, "name": inside}), VERSION, METHOD, NAME), *MISMATCH
    composed = call("tools/call", {**FORECAST, "name": "caf\u00e9"})
    yield "letters_composed_in_another_way", sent(composed, VERSION, METHOD, "Mcp-Name: cafe\u0301".encode()), *MISMATCH
    yield "body_says_another_in_escapes", sent(text(body).replace(b'"name":"forecast"', b'"name":"\\u0066orecast_"'), VERSION, METHOD, NAME), *MISMATCH


def versions():
    for name, told in {"older": "2025-11-25", "newer": "2027-01-01", "empty": "", "with_a_blank": "2026-07-28 "}.items():
        body = call("tools/call", {**FORECAST, "_meta": {"io.modelcontextprotocol/protocolVersion": told}})
        yield f"body_says_{name}", sent(body, VERSION, METHOD, NAME), *MISMATCH
    yield "head_says_newer", sent(call("tools/call", FORECAST), b"MCP-Protocol-Version: 2027-01-01", METHOD, NAME), *MISMATCH


def messages():
    wrong = (400, "not_a_message")
    body = text(call("tools/call", FORECAST))
    yield "method_twice", sent(body[:-1] + b',"method":"tools/list"}', VERSION, METHOD, NAME), *wrong
    yield "name_twice", sent(body.replace(b'"arguments"', b'"n\\u0061me":"other","arguments"'), VERSION, METHOD, NAME), *wrong
    yield "not_json", sent(body[:-1], VERSION, METHOD, NAME), *wrong
    yield "behind_the_message", sent(body + b"{}", VERSION, METHOD, NAME), *wrong
    for name, kind in {"text": b"text/plain", "missing_letter": b"application/jso", "form": b"application/x-www-form-urlencoded"}.items():
        fields = [VERSION, METHOD, NAME]
        yield f"type_is_{name}", request(body, fields, kind=b"Content-Type: " + kind), 415, "not_json_type"
    yield "body_is_compressed", sent(b"\x1f\x8b\x08\x00", VERSION, METHOD, NAME, b"Content-Encoding: gzip"), 415, "not_json_type"


GROUPS = {"method": methods, "name": names, "version": versions, "message": messages}
