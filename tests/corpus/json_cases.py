"""Bodies that no strict reader of JSON-RPC takes: one defect each, as the bytes that are sent.

Each case is (name, bytes, code, id): the code of the JSON-RPC error, and what its `id` must be: `7` where the body tells it,
`?` where it may be told or not, `-` where there is none to tell.
"""

BROKEN = -32700  # not JSON that is read
WRONG = -32600  # JSON, and not one message

PARAMS = b'{"name":"forecast","arguments":{"city":"Oslo"}}'
CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":' + PARAMS + b"}"


def call(jsonrpc=b'"2.0"', id=b"7", method=b'"tools/call"', params=PARAMS, more=b""):
    parts = [(b"jsonrpc", jsonrpc), (b"id", id), (b"method", method), (b"params", params)]
    members = [b'"%s":%s' % (key, value) for key, value in parts if value is not None]
    return b"{" + b",".join(members) + more + b"}"


def value(text):
    """A call with a text where an argument stands."""
    return call(params=b'{"name":"forecast","arguments":{"city":' + text + b"}}")


def escaped(key, at, upper=False):
    code = b"\\u%04X" if upper else b"\\u%04x"
    return key[:at] + code % key[at] + key[at + 1 :]


def duplicates():
    first = {b"jsonrpc": b'"2.0"', b"id": b"7", b"method": b'"tools/call"', b"params": PARAMS}
    other = {b"jsonrpc": b'"1.0"', b"id": b"8", b"method": b'"tools/list"', b"params": b"{}"}
    for key, was in first.items():
        name = key.decode()
        told = "?" if key == b"id" else "7"
        for how, again in {
            "the_same": b'"%s":%s' % (key, was),
            "another_value": b'"%s":%s' % (key, other[key]),
            "null": b'"%s":null' % key,
            "first_letter_escaped": b'"%s":%s' % (escaped(key, 0), other[key]),
            "last_letter_escaped": b'"%s":%s' % (escaped(key, len(key) - 1), other[key]),
            "all_letters_escaped": b'"%s":%s' % (b"".join(b"\\u%04x" % letter for letter in key), was),
            "blanks_around": b' \n"%s"\t:\r%s' % (key, other[key]),
        }.items():
            yield f"{name}_{how}", CALL[:-1] + b"," + again + b"}", WRONG, told
        yield f"{name}_three_times", CALL[:-1] + (b',"%s":%s' % (key, was)) * 2 + b"}", WRONG, told
        if key == b"method":
            yield f"{name}_escaped_with_capitals", CALL[:-1] + b',"%s":%s}' % (escaped(key, 4, True), was), WRONG, told
        if key != b"jsonrpc":
            yield f"{name}_the_first_escaped", b'{"%s":%s,%s' % (escaped(key, 0), other[key], CALL[1:]), WRONG, told
    for key, was, now in (b"name", b'"forecast"', b'"drop_all"'), (b"_meta", b"{}", b'{"a":1}'):
        name = key.decode()
        for how, again in {
            "the_same": b'"%s":%s' % (key, was),
            "another_value": b'"%s":%s' % (key, now),
            "null": b'"%s":null' % key,
            "first_letter_escaped": b'"%s":%s' % (escaped(key, 0), now),
            "last_letter_escaped": b'"%s":%s' % (escaped(key, len(key) - 1), now),
            "all_letters_escaped": b'"%s":%s' % (b"".join(b"\\u%04x" % letter for letter in key), was),
        }.items():
            yield f"params_{name}_{how}", call(params=b'{"%s":%s,"x":[{}],%s}' % (key, was, again)), WRONG, "7"
    yield "method_twice_in_a_batch", b"[" + CALL + b"," + CALL[:-1] + b',"method":"ping"}]', WRONG, "?"
    yield "id_twice_in_a_batch", b"[" + CALL[:-1] + b',"id":9}]', WRONG, "?"
    yield "params_name_twice_in_a_batch", b"[" + call(params=b'{"name":"a","name":"b"}') + b"]", WRONG, "?"
    yield "method_twice_in_a_notification", b'{"jsonrpc":"2.0","method":"notifications/x","method":"ping"}', WRONG, "-"
    yield "id_twice_in_an_answer", b'{"jsonrpc":"2.0","id":7,"id":8,"result":{}}', WRONG, "?"


def nesting():
    for name, text in {
        "arrays_70": b"[" * 70 + b"]" * 70,
        "objects_70": b'{"a":' * 70 + b"1" + b"}" * 70,
        "arrays_and_objects_70": b'[{"a":' * 35 + b"1" + b"}]" * 35,
        "arrays_100": b"[" * 100 + b"]" * 100,
        "arrays_200": b"[" * 200 + b"]" * 200,
        "objects_1000": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
        "arrays_10000": b"[" * 10_000 + b"]" * 10_000,
        "deep_behind_a_shallow_one": b"[[]," + b"[" * 70 + b"]" * 71,
        "deep_with_brackets_in_strings": b'["]]]]",' * 70 + b"1" + b"]" * 70,
    }.items():
        yield f"argument_{name}", value(text), BROKEN, "?"
    yield "unknown_member_of_70", CALL[:-1] + b',"x":' + b"[" * 70 + b"]" * 70 + b"}", BROKEN, "?"
    yield "params_of_70", call(params=b'{"a":' * 70 + b"1" + b"}" * 70), BROKEN, "?"
    yield "id_of_70", call(id=b"[" * 70 + b"]" * 70), WRONG, "-"
    yield "method_of_70", call(method=b"[" * 70 + b"]" * 70), WRONG, "7"
    yield "result_of_70", b'{"jsonrpc":"2.0","id":7,"result":' + b'{"a":' * 70 + b"1" + b"}" * 71, BROKEN, "?"
    yield "batch_of_70", b"[" * 70 + CALL + b"]" * 70, WRONG, "-"
    yield "nothing_but_arrays", b"[" * 2_000, WRONG, "-"
    yield "nothing_but_objects", b'{"a":' * 2_000, BROKEN, "?"
    yield "before_the_id", b'{"jsonrpc":"2.0","x":' + b"[" * 70 + b"]" * 70 + b',"id":7,"method":"ping"}', BROKEN, "?"


def encodings():
    kinds = {
        "continuation_80": b"\x80",
        "continuation_bf": b"\xbf",
        "two_bytes_cut": b"\xc3",
        "two_bytes_with_a_letter": b"\xc3\x28",
        "three_bytes_cut": b"\xe2\x82",
        "three_bytes_with_a_letter": b"\xe2\x28\xa1",
        "four_bytes_cut": b"\xf0\x9f\x98",
        "four_bytes_with_a_letter": b"\xf0\x9f\x28\x80",
        "overlong_of_two": b"\xc0\xaf",
        "overlong_nul": b"\xc0\x80",
        "overlong_of_three": b"\xe0\x80\xaf",
        "overlong_of_four": b"\xf0\x80\x80\xaf",
        "high_surrogate": b"\xed\xa0\x80",
        "low_surrogate": b"\xed\xb0\x80",
        "surrogate_pair": b"\xed\xa0\xbd\xed\xb8\x80",
        "beyond_the_last_letter": b"\xf4\x90\x80\x80",
        "byte_f5": b"\xf5\x80\x80\x80",
        "byte_f8": b"\xf8\x88\x80\x80\x80",
        "byte_fe": b"\xfe",
        "byte_ff": b"\xff",
    }
    for kind, data in kinds.items():
        yield f"{kind}_in_an_argument", value(b'"a' + data + b'b"'), BROKEN, "?"
        yield f"{kind}_in_the_method", call(method=b'"tools/' + data + b'"'), BROKEN, "?"
        yield f"{kind}_in_an_unknown_key", CALL[:-1] + b',"x' + data + b'":1}', BROKEN, "?"
    for kind in ("byte_ff", "overlong_of_two", "high_surrogate", "three_bytes_cut"):
        data = kinds[kind]
        yield f"{kind}_in_the_name", call(params=b'{"name":"' + data + b'"}'), BROKEN, "?"
        yield f"{kind}_in_the_id", call(id=b'"' + data + b'"'), BROKEN, "-"
        yield f"{kind}_between_members", CALL.replace(b',"id"', b"," + data + b'"id"'), BROKEN, "?"
        yield f"{kind}_behind_the_end", CALL + data, BROKEN, "?"
    text = CALL.decode()
    yield "utf_16_little_endian", text.encode("utf-16-le"), BROKEN, "-"
    yield "utf_16_big_endian", text.encode("utf-16-be"), BROKEN, "-"
    yield "utf_16_with_a_mark", b"\xff\xfe" + text.encode("utf-16-le"), BROKEN, "-"
    yield "utf_32", text.encode("utf-32-le"), BROKEN, "-"
    yield "latin_1", value('"Tromsø"'.encode("latin-1")), BROKEN, "?"
    yield "byte_order_mark", b"\xef\xbb\xbf" + CALL, BROKEN, "-"
    yield "byte_order_mark_behind_a_blank", b" \xef\xbb\xbf" + CALL, BROKEN, "-"
    yield "byte_order_mark_at_the_end", CALL + b"\xef\xbb\xbf", BROKEN, "?"
    yield "byte_order_mark_between_members", CALL.replace(b',"id"', b',\xef\xbb\xbf"id"'), BROKEN, "?"
    yield "no_break_space", CALL.replace(b',"id"', ',\u00a0"id"'.encode()), BROKEN, "?"
    yield "line_separator_between_members", CALL.replace(b',"id"', ',\u2028"id"'.encode()), BROKEN, "?"
    yield "next_line_behind_the_end", CALL + "\u0085".encode(), BROKEN, "?"
    yield "gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", BROKEN, "-"


def trailing():
    for name, text in {
        "another_call": CALL,
        "another_call_in_a_new_line": b"\n" + CALL,
        "a_comma": b",",
        "a_comma_and_a_call": b"," + CALL,
        "a_brace": b"}",
        "a_bracket": b"]",
        "an_open_brace": b"{",
        "a_letter": b"x",
        "a_number": b" 1",
        "null": b"null",
        "an_empty_string": b'""',
        "a_nul": b"\x00",
        "an_end_of_file_sign": b"\x1a",
        "a_vertical_tab": b"\x0b",
        "a_form_feed": b"\x0c",
        "a_line_comment": b" // done",
        "a_block_comment": b"/* done */",
        "a_hash_comment": b"\n# done",
        "a_semicolon": b";",
        "a_script_end": b"</script>",
    }.items():
        yield name, CALL + text, BROKEN, "?"


def tokens():
    for name, text in {
        "nan": b"NaN",
        "infinity": b"Infinity",
        "negative_infinity": b"-Infinity",
        "negative_nan": b"-NaN",
        "undefined": b"undefined",
        "capital_true": b"True",
        "capital_null": b"NULL",
        "none": b"None",
        "null_cut": b"nul",
        "true_cut": b"tru",
        "true_too_long": b"truee",
        "false_with_a_capital": b"falsE",
        "a_bare_word": b"Oslo",
        "a_function_call": b"Date(0)",
        "number_leading_zero": b"01",
        "number_two_zeros": b"00",
        "number_negative_leading_zero": b"-01",
        "number_ends_in_a_point": b"1.",
        "number_begins_with_a_point": b".5",
        "number_negative_point": b"-.5",
        "number_plus": b"+1",
        "number_minus_alone": b"-",
        "number_two_minuses": b"--1",
        "number_minus_and_a_blank": b"- 1",
        "number_minus_and_a_letter": b"-a",
        "number_exponent_empty": b"1e",
        "number_exponent_plus_alone": b"1e+",
        "number_exponent_minus_alone": b"1E-",
        "number_exponent_two_signs": b"1e+-2",
        "number_exponent_fraction": b"1e1.5",
        "number_exponent_alone": b"e1",
        "number_exponent_behind_a_point": b"1.e1",
        "number_zero_exponent_empty": b"0e",
        "number_two_points": b"1.2.3",
        "number_two_points_together": b"1..2",
        "number_underscore": b"1_000",
        "number_comma": b"1,000",
        "number_hexadecimal": b"0x1f",
        "number_binary": b"0b1",
        "number_octal": b"0o7",
        "number_with_a_suffix": b"1n",
        "number_with_a_unit": b"1px",
        "number_with_a_blank": b"1 2",
        "number_in_fullwidth_digits": "１".encode(),
        "number_in_arabic_digits": "٣".encode(),
        "number_with_nul": b"1\x00",
        "number_infinite_sign": "∞".encode(),
        "string_single_quotes": b"'Oslo'",
        "string_backticks": b"`Oslo`",
        "string_curly_quotes": "“Oslo”".encode(),
        "string_triple_quotes": b'"""Oslo"""',
        "string_with_a_prefix": b'r"Oslo"',
        "string_joined": b'"Os" "lo"',
        "string_added": b'"Os"+"lo"',
        "array_comma_at_the_end": b"[1,]",
        "array_comma_in_front": b"[,1]",
        "array_two_commas": b"[1,,2]",
        "array_comma_alone": b"[,]",
        "array_no_comma": b"[1 2]",
        "array_colon": b"[1:2]",
        "array_semicolon": b"[1;2]",
        "array_closed_by_a_brace": b"[1}",
        "array_in_parentheses": b"(1,2)",
        "array_spread": b"[...1]",
        "object_comma_at_the_end": b'{"a":1,}',
        "object_comma_in_front": b'{,"a":1}',
        "object_two_commas": b'{"a":1,,"b":2}',
        "object_comma_alone": b"{,}",
        "object_no_comma": b'{"a":1 "b":2}',
        "object_no_colon": b'{"a" 1}',
        "object_two_colons": b'{"a"::1}',
        "object_equals": b'{"a"=1}',
        "object_arrow": b'{"a"=>1}',
        "object_no_value": b'{"a":}',
        "object_no_key": b"{:1}",
        "object_key_alone": b'{"a"}',
        "object_bare_key": b"{a:1}",
        "object_key_in_single_quotes": b"{'a':1}",
        "object_key_is_a_number": b"{1:1}",
        "object_key_is_null": b"{null:1}",
        "object_key_is_an_array": b"{[]:1}",
        "object_closed_by_a_bracket": b'{"a":1]',
        "object_semicolon": b'{"a":1;"b":2}',
        "comment_block": b"/* city */ 1",
        "comment_line": b"1 // city\n",
        "comment_hash": b"1 # city\n",
        "comment_open": b"1 /* city",
        "comment_markup": b"<!-- city --> 1",
        "nothing": b"",
        "an_asterisk": b"*",
        "an_ampersand": b"&a 1",
        "a_blank_that_is_a_vertical_tab": b"\x0b1",
        "a_blank_that_is_a_form_feed": b"\x0c1",
        "a_blank_that_is_nul": b"\x001",
        "a_backslash": b"\\n",
    }.items():
        yield name, value(text), BROKEN, "?"
    yield "members_a_stray_brace", CALL.replace(b',"id"', b'},"id"'), WRONG, "?"
    for name, text in {
        "members_comma_at_the_end": CALL[:-1] + b",}",
        "members_comma_in_front": b"{," + CALL[1:],
        "members_two_commas": CALL.replace(b',"id"', b',,"id"'),
        "members_no_comma": CALL.replace(b',"id"', b' "id"'),
        "members_no_colon": CALL.replace(b'"id":7', b'"id" 7'),
        "members_single_quotes": CALL.replace(b'"', b"'"),
        "members_bare_keys": CALL.replace(b'"id"', b"id"),
        "members_a_comment": CALL.replace(b',"id"', b',/**/"id"'),
        "members_a_stray_word": CALL.replace(b',"id"', b',null,"id"'),
        "id_with_a_leading_zero": call(id=b"07"),
        "id_with_a_plus": call(id=b"+7"),
        "id_ends_in_a_point": call(id=b"7."),
        "id_in_hexadecimal": call(id=b"0x7"),
        "id_nan": call(id=b"NaN"),
        "id_bare_word": call(id=b"seven"),
        "method_bare_word": call(method=b"ping"),
        "method_in_single_quotes": call(method=b"'ping'"),
        "params_in_parentheses": call(params=b"()"),
        "params_without_a_value": call(params=b""),
        "xml": b'<?xml version="1.0"?><methodCall><methodName>ping</methodName></methodCall>',
        "yaml": b"jsonrpc: '2.0'\nid: 7\nmethod: ping\n",
        "a_form": b"jsonrpc=2.0&id=7&method=ping",
        "an_event": b"event: message\ndata: " + CALL + b"\n\n",
        "a_security_prefix": b")]}'\n" + CALL,
        "a_callback": b"callback(" + CALL + b")",
        "a_length_line_in_front": b"Content-Length: 98\r\n\r\n" + CALL,
        "msgpack": b"\x83\xa7jsonrpc\xa32.0\xa2id\x07\xa6method\xa4ping",
    }.items():
        yield name, text, BROKEN, "?"


def strings():
    kinds = {
        "escape_x": b"\\x41",
        "escape_a": b"\\a",
        "escape_zero": b"\\0",
        "escape_single_quote": b"\\'",
        "escape_v": b"\\v",
        "escape_capital_u": b"\\U00000041",
        "escape_capital_n": b"\\N",
        "escape_blank": b"\\ ",
        "escape_line_end": b"\\\n",
        "escape_braces": b"\\u{41}",
        "escape_of_two_digits": b"\\u41",
        "escape_of_three_digits": b"\\u004 ",
        "escape_with_a_bad_digit": b"\\u00g1",
        "escape_with_a_sign": b"\\u+041",
        "escape_with_a_blank": b"\\u 041",
        "escape_in_utf_8": "\\é".encode(),
        "high_surrogate_alone": b"\\ud83d",
        "low_surrogate_alone": b"\\ude00",
        "surrogates_in_the_wrong_order": b"\\ude00\\ud83d",
        "two_high_surrogates": b"\\ud83d\\ud83d",
        "high_surrogate_and_a_letter": b"\\ud83da",
        "high_surrogate_and_an_escape": b"\\ud83d\\n",
        "high_surrogate_and_half_an_escape": b"\\ud83d\\ude",
        "raw_nul": b"\x00",
        "raw_01": b"\x01",
        "raw_backspace": b"\x08",
        "raw_tab": b"\t",
        "raw_line_feed": b"\n",
        "raw_carriage_return": b"\r",
        "raw_escape": b"\x1b",
        "raw_1f": b"\x1f",
    }
    for kind, data in kinds.items():
        yield f"{kind}_in_an_argument", value(b'"a' + data + b'b"'), BROKEN, "?"
    for kind in ("escape_x", "high_surrogate_alone", "raw_nul", "raw_line_feed", "escape_of_three_digits"):
        data = kinds[kind]
        yield f"{kind}_in_an_unknown_key", CALL[:-1] + b',"x' + data + b'":1}', BROKEN, "?"
        yield f"{kind}_in_the_method", call(method=b'"tools/' + data + b'"'), BROKEN, "?"
        yield f"{kind}_in_the_name", call(params=b'{"name":"' + data + b'"}'), BROKEN, "?"
        yield f"{kind}_in_the_id", call(id=b'"' + data + b'"'), BROKEN, "-"
        yield f"{kind}_in_the_version", call(jsonrpc=b'"2.0' + data + b'"'), BROKEN, "?"
    yield "unterminated", CALL[: CALL.index(b"Oslo") + 4], BROKEN, "?"
    yield "unterminated_key", CALL[: CALL.index(b"params") + 6], BROKEN, "?"
    yield "ends_in_a_backslash", CALL[: CALL.index(b"Oslo") + 4] + b"\\", BROKEN, "?"
    yield "ends_in_half_an_escape", CALL[: CALL.index(b"Oslo") + 4] + b"\\u00", BROKEN, "?"
    yield "last_quote_is_escaped", value(b'"Oslo\\"'), BROKEN, "?"
    yield "not_begun", value(b'Oslo"'), BROKEN, "?"


def cut_short():
    """The same call, ended behind each of its tokens."""
    at, inside, ends = 0, False, []
    for at, byte in enumerate(CALL):
        letter = bytes([byte])
        if letter == b'"':
            inside = not inside
            if not inside:
                ends.append(at + 1)
        elif not inside:
            ends.append(at + 1)
    for number, end in enumerate(ends[:-1], 1):
        yield f"behind_token_{number:02}", CALL[:end], BROKEN, "?"
    yield "inside_true", CALL[:-1] + b',"x":tr', BROKEN, "?"
    yield "inside_an_exponent", CALL[:-1] + b',"x":1e', BROKEN, "?"
    yield "inside_an_array", CALL[:-1] + b',"x":[1,', BROKEN, "?"
    yield "inside_a_batch", b"[" + CALL, BROKEN, "?"
    yield "inside_a_batch_behind_a_comma", b"[" + CALL + b",", BROKEN, "?"
    yield "bracket_alone", b"[", BROKEN, "-"
    yield "quote_alone", b'"', BROKEN, "-"
    yield "closing_brace_alone", b"}", BROKEN, "-"
    yield "closing_bracket_alone", b"]", BROKEN, "-"
    yield "colon_alone", b":", BROKEN, "-"
    yield "comma_alone", b",", BROKEN, "-"
    yield "empty", b"", BROKEN, "-"
    yield "blank", b" \t", BROKEN, "-"
    yield "line_ends_only", b"\r\n\r\n", BROKEN, "-"
    yield "nul_only", b"\x00", BROKEN, "-"


def shapes():
    for name, text, told in [
        ("body_null", b"null", "-"),
        ("body_true", b"true", "-"),
        ("body_number", b"7", "-"),
        ("body_string", b'"ping"', "-"),
        ("body_empty_object", b"{}", "-"),
        ("body_call_as_a_string", b'"{\\"jsonrpc\\":\\"2.0\\"}"', "-"),
        ("version_missing", call(jsonrpc=None), "7"),
        ("version_1_0", call(jsonrpc=b'"1.0"'), "?"),
        ("version_2", call(jsonrpc=b'"2"'), "?"),
        ("version_2_1", call(jsonrpc=b'"2.1"'), "?"),
        ("version_empty", call(jsonrpc=b'""'), "?"),
        ("version_with_a_blank", call(jsonrpc=b'"2.0 "'), "?"),
        ("version_a_number", call(jsonrpc=b"2.0"), "?"),
        ("version_null", call(jsonrpc=b"null"), "?"),
        ("version_true", call(jsonrpc=b"true"), "?"),
        ("version_an_array", call(jsonrpc=b'["2.0"]'), "?"),
        ("version_an_object", call(jsonrpc=b"{}"), "?"),
        ("version_under_a_capital_key", CALL.replace(b"jsonrpc", b"JSONRPC"), "7"),
        ("id_null", call(id=b"null"), "-"),
        ("id_true", call(id=b"true"), "-"),
        ("id_false", call(id=b"false"), "-"),
        ("id_an_object", call(id=b'{"id":7}'), "-"),
        ("id_an_array", call(id=b"[7]"), "-"),
        ("id_an_empty_array", call(id=b"[]"), "-"),
        ("method_missing", call(method=None), "7"),
        ("method_empty", call(method=b'""'), "7"),
        ("method_null", call(method=b"null"), "7"),
        ("method_a_number", call(method=b"1"), "7"),
        ("method_true", call(method=b"true"), "7"),
        ("method_an_array", call(method=b'["tools/call"]'), "7"),
        ("method_an_object", call(method=b"{}"), "7"),
        ("method_under_a_capital_key", CALL.replace(b'"method"', b'"Method"'), "7"),
        ("params_a_number", call(params=b"1"), "7"),
        ("params_a_string", call(params=b'"Oslo"'), "7"),
        ("params_true", call(params=b"true"), "7"),
        ("params_false", call(params=b"false"), "7"),
        ("result_and_error", b'{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":""}}', "7"),
        ("result_and_method", b'{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}', "7"),
        ("error_and_method", b'{"jsonrpc":"2.0","id":7,"method":"ping","error":{"code":1,"message":""}}', "7"),
        ("neither_method_nor_result", b'{"jsonrpc":"2.0","id":7}', "7"),
        ("version_alone", b'{"jsonrpc":"2.0"}', "-"),
        ("result_without_id", b'{"jsonrpc":"2.0","result":{}}', "-"),
        ("error_a_string", b'{"jsonrpc":"2.0","id":7,"error":"no"}', "7"),
        ("error_null", b'{"jsonrpc":"2.0","id":7,"error":null}', "7"),
        ("notification_with_id_null", b'{"jsonrpc":"2.0","id":null,"method":"notifications/x"}', "-"),
        ("an_envelope_inside_another", b'{"message":' + CALL + b"}", "-"),
    ]:
        yield name, text, WRONG, told


def batches():
    for name, text, code in [
        ("empty", b"[]", WRONG),
        ("empty_with_blanks", b" [ \n ] ", WRONG),
        ("of_a_number", b"[1]", WRONG),
        ("of_null", b"[null]", WRONG),
        ("of_true", b"[true]", WRONG),
        ("of_a_string", b'["ping"]', WRONG),
        ("of_an_empty_object", b"[{}]", WRONG),
        ("of_an_empty_batch", b"[[]]", WRONG),
        ("of_a_batch", b"[[" + CALL + b"]]", WRONG),
        ("a_call_and_a_number", b"[" + CALL + b",1]", WRONG),
        ("a_call_and_null", b"[" + CALL + b",null]", WRONG),
        ("a_call_and_a_batch", b"[" + CALL + b",[" + CALL + b"]]", WRONG),
        ("a_number_and_a_call", b"[1," + CALL + b"]", WRONG),
        ("version_missing_in_the_second", b"[" + CALL + b"," + call(jsonrpc=None) + b"]", WRONG),
        ("version_1_0_in_the_first", b"[" + call(jsonrpc=b'"1.0"') + b"," + CALL + b"]", WRONG),
        ("id_an_object_in_the_second", b"[" + CALL + b"," + call(id=b"{}") + b"]", WRONG),
        ("id_null_in_the_first", b"[" + call(id=b"null") + b"]", WRONG),
        ("method_a_number_in_the_second", b"[" + CALL + b"," + call(method=b"1") + b"]", WRONG),
        ("method_missing_in_the_second", b"[" + CALL + b"," + call(method=None) + b"]", WRONG),
        ("params_a_string_in_the_second", b"[" + CALL + b"," + call(params=b'"x"') + b"]", WRONG),
        ("result_and_error_in_the_first", b'[{"jsonrpc":"2.0","id":7,"result":{},"error":{}}]', WRONG),
        ("comma_at_the_end", b"[" + CALL + b",]", BROKEN),
        ("comma_in_front", b"[," + CALL + b"]", BROKEN),
        ("two_commas", b"[" + CALL + b",," + CALL + b"]", BROKEN),
        ("no_comma", b"[" + CALL + CALL + b"]", BROKEN),
        ("a_colon", b"[" + CALL + b":" + CALL + b"]", BROKEN),
        ("a_semicolon", b"[" + CALL + b";" + CALL + b"]", BROKEN),
        ("closed_twice", b"[" + CALL + b"]]", BROKEN),
        ("closed_by_a_brace", b"[" + CALL + b"}", BROKEN),
        ("followed_by_a_call", b"[" + CALL + b"]" + CALL, BROKEN),
        ("followed_by_a_batch", b"[" + CALL + b"][" + CALL + b"]", BROKEN),
        ("not_closed_behind_two", b"[" + CALL + b"," + CALL, BROKEN),
        ("second_cut_short", b"[" + CALL + b',{"jsonrpc":"2.0","id":', BROKEN),
        ("second_with_a_bad_number", b"[" + CALL + b"," + value(b"01") + b"]", BROKEN),
        ("second_with_a_bad_string", b"[" + CALL + b"," + value(b'"\\x"') + b"]", BROKEN),
        ("second_with_a_bad_byte", b"[" + CALL + b"," + value(b'"\xff"') + b"]", BROKEN),
    ]:
        yield name, text, code, "?"


GROUPS = {
    "duplicate": duplicates,
    "nesting": nesting,
    "encoding": encodings,
    "trailing": trailing,
    "token": tokens,
    "string": strings,
    "cut_short": cut_short,
    "shape": shapes,
    "batch": batches,
}
