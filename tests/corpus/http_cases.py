"""Requests of HTTP/1.1 that must be refused: one defect each, as the bytes that are sent.

Each case is (name, bytes, status, reason). What the reasons mean stands in docs/errors.md.
"""

BODY = b'{"jsonrpc":"2.0","id":7,"method":"tools/list"}'
LINE = b"POST /weather/mcp HTTP/1.1"
HOST = b"Host: localhost"
SMUGGLED = LINE + b"\r\n" + HOST + b"\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY

MALFORMED = (400, "malformed")
SLOW = (408, "too_slow")
NO_PATH = (404, "no_such_path")
NO_ROUTE = (404, "no_route")
FOREIGN = (403, "host_not_allowed")
ORIGIN = (403, "origin_not_allowed")
HEAD = (431, "head_too_large")
BODY_SIZE = (413, "body_too_large")


def request(line=LINE, host=HOST, fields=(), body=BODY, length=True):
    lines = [line] + ([host] if host is not None else []) + list(fields)
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body, fields=()):
    return request(fields=[*fields, b"Transfer-Encoding: chunked"], body=body, length=False)


ONE = b"%x\r\n%s\r\n" % (len(BODY), BODY)
END = b"0\r\n\r\n"


def request_lines():
    words = {
        "two_spaces_before_target": b"POST  /weather/mcp HTTP/1.1",
        "two_spaces_before_version": b"POST /weather/mcp  HTTP/1.1",
        "tab_before_target": b"POST\t/weather/mcp HTTP/1.1",
        "tab_before_version": b"POST /weather/mcp\tHTTP/1.1",
        "vertical_tab_before_target": b"POST\x0b/weather/mcp HTTP/1.1",
        "form_feed_before_version": b"POST /weather/mcp\x0cHTTP/1.1",
        "leading_space": b" POST /weather/mcp HTTP/1.1",
        "leading_tab": b"\tPOST /weather/mcp HTTP/1.1",
        "trailing_space": b"POST /weather/mcp HTTP/1.1 ",
        "trailing_tab": b"POST /weather/mcp HTTP/1.1\t",
        "word_behind_version": b"POST /weather/mcp HTTP/1.1 x",
        "method_alone": b"POST",
        "target_missing": b"POST HTTP/1.1",
        "target_empty": b"POST  HTTP/1.1",
        "method_missing": b"/weather/mcp HTTP/1.1",
        "method_empty": b" /weather/mcp HTTP/1.1",
        "version_missing": b"POST /weather/mcp",
        "version_missing_after_space": b"POST /weather/mcp ",
        "space_in_target": b"POST /weather /mcp HTTP/1.1",
        "words_separated_by_commas": b"POST,/weather/mcp,HTTP/1.1",
        "method_with_nul": b"PO\x00ST /weather/mcp HTTP/1.1",
        "method_with_control": b"PO\x01ST /weather/mcp HTTP/1.1",
        "method_with_delete": b"POST\x7f /weather/mcp HTTP/1.1",
        "method_with_high_byte": b"P\xd6ST /weather/mcp HTTP/1.1",
        "method_with_colon": b"POST: /weather/mcp HTTP/1.1",
        "method_with_slash": b"PO/ST /weather/mcp HTTP/1.1",
        "method_with_at": b"PO@ST /weather/mcp HTTP/1.1",
        "method_with_quotes": b'"POST" /weather/mcp HTTP/1.1',
        "method_with_parenthesis": b"POST() /weather/mcp HTTP/1.1",
        "method_with_brace": b"{POST} /weather/mcp HTTP/1.1",
        "method_with_comma": b"POST,GET /weather/mcp HTTP/1.1",
        "method_with_semicolon": b"POST; /weather/mcp HTTP/1.1",
        "method_with_equals": b"POST=1 /weather/mcp HTTP/1.1",
        "method_with_bracket": b"[POST] /weather/mcp HTTP/1.1",
        "version_lower_case": b"POST /weather/mcp http/1.1",
        "version_mixed_case": b"POST /weather/mcp Http/1.1",
        "version_0_9": b"POST /weather/mcp HTTP/0.9",
        "version_1_2": b"POST /weather/mcp HTTP/1.2",
        "version_2_0": b"POST /weather/mcp HTTP/2.0",
        "version_2": b"POST /weather/mcp HTTP/2",
        "version_3_0": b"POST /weather/mcp HTTP/3.0",
        "version_9_9": b"POST /weather/mcp HTTP/9.9",
        "version_1": b"POST /weather/mcp HTTP/1",
        "version_1_dot": b"POST /weather/mcp HTTP/1.",
        "version_dot_1": b"POST /weather/mcp HTTP/.1",
        "version_11": b"POST /weather/mcp HTTP/11",
        "version_1_10": b"POST /weather/mcp HTTP/1.10",
        "version_01_1": b"POST /weather/mcp HTTP/01.1",
        "version_1_1_x": b"POST /weather/mcp HTTP/1.1x",
        "version_with_comma": b"POST /weather/mcp HTTP/1,1",
        "version_with_space": b"POST /weather/mcp HTTP/ 1.1",
        "version_without_slash": b"POST /weather/mcp HTTP1.1",
        "version_negative": b"POST /weather/mcp HTTP/-1.1",
        "version_of_https": b"POST /weather/mcp HTTPS/1.1",
        "version_of_a_coffee_pot": b"POST /weather/mcp HTCPCP/1.0",
        "version_of_rtsp": b"POST /weather/mcp RTSP/1.0",
        "connect_to_an_authority": b"CONNECT localhost:443 HTTP/1.1",
        "connect_to_a_path": b"CONNECT /weather/mcp HTTP/1.1",
        "connect_to_a_url": b"CONNECT http://localhost/weather/mcp HTTP/1.1",
        "trace": b"TRACE /weather/mcp HTTP/1.1",
        "bare_cr_in_the_line": b"POST /weather/mcp\r HTTP/1.1",
        "bare_cr_at_the_end": b"POST /weather/mcp HTTP/1.1\r",
    }
    for name, line in words.items():
        yield name, request(line), *MALFORMED
    whole = request()
    yield "http_0_9_get", b"GET /weather/mcp\r\n\r\n", *MALFORMED
    yield "line_ends_in_lf", whole.replace(b"\r\n", b"\n", 1), *MALFORMED
    yield "two_empty_lines_before", b"\r\n\r\n" + whole, *MALFORMED
    yield "bare_lf_before", b"\n" + whole, *MALFORMED
    yield "bare_cr_before", b"\r" + whole, *MALFORMED
    yield "byte_order_mark_before", b"\xef\xbb\xbf" + whole, *MALFORMED
    yield "nul_before", b"\x00" + whole, *MALFORMED
    yield "fields_without_a_request_line", request(HOST, None), *MALFORMED
    yield "an_answer_instead_of_a_request", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", *MALFORMED
    yield "json_without_http", BODY + b"\r\n\r\n", *MALFORMED
    yield "a_tls_hello", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n", *MALFORMED
    yield "a_socks_greeting", b"\x05\x01\x00\r\n\r\n", *MALFORMED
    yield "an_ssh_banner", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", *MALFORMED
    yield "an_smtp_greeting", b"EHLO localhost\r\n\r\n", *MALFORMED
    yield "a_proxy_protocol_line", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + whole, *MALFORMED
    yield "a_redis_command", b"*1\r\n$4\r\nPING\r\n\r\n", *MALFORMED


def targets():
    def post(target):
        return request(b"POST " + target + b" HTTP/1.1")

    for name, target in {
        "nul": b"/weather/mcp\x00",
        "control_01": b"/weather/mcp?a=\x01",
        "control_1f": b"/weather/mcp?a=\x1f",
        "delete": b"/weather/mcp?a=\x7f",
        "escape": b"/weather/mcp?a=\x1b[2J",
        "byte_80": b"/weather/mcp?a=\x80",
        "byte_ff": b"/weather/mcp?a=\xff",
        "letter_in_utf_8": "/weather/mcp?a=é".encode(),
        "letter_in_latin_1": b"/weather/mcp?a=\xe9",
        "overlong_slash": b"/weather\xc0\xafmcp",
        "line_separator": "/weather/mcp?a=\u2028".encode(),
        "fullwidth_slash": "／weather/mcp".encode(),
        "fragment_behind_path": b"/weather/mcp#top",
        "fragment_behind_query": b"/weather/mcp?a=1#top",
        "fragment_alone": b"#top",
        "fragment_that_is_empty": b"/weather/mcp#",
        "quote_in_query": b'/weather/mcp?a="b"',
        "less_than_in_query": b"/weather/mcp?a=<b",
        "greater_than_in_query": b"/weather/mcp?a=b>",
        "no_slash": b"weather/mcp",
        "query_alone": b"?a=1",
        "host_and_path": b"localhost/weather/mcp",
        "authority_alone": b"localhost:80",
        "backslashes": b"\\weather\\mcp",
        "dot": b"./weather/mcp",
        "scheme_ftp": b"ftp://localhost/weather/mcp",
        "scheme_file": b"file:///weather/mcp",
        "scheme_ws": b"ws://localhost/weather/mcp",
        "scheme_gopher": b"gopher://localhost/weather/mcp",
        "scheme_missing": b"://localhost/weather/mcp",
        "scheme_with_one_slash": b"http:/weather/mcp",
        "scheme_without_slashes": b"http:weather/mcp",
        "url_without_host": b"http:///weather/mcp",
        "url_with_nothing": b"http://",
        "url_of_another_host": b"http://evil.example/weather/mcp",
        "url_of_another_port": b"http://localhost:81/weather/mcp",
        "url_with_user": b"http://user@localhost/weather/mcp",
        "url_with_password": b"http://user:secret@localhost/weather/mcp",
        "url_with_the_host_as_user": b"http://localhost@evil.example/weather/mcp",
        "url_with_an_empty_port": b"http://localhost:/weather/mcp",
        "url_with_a_trailing_dot": b"http://localhost./weather/mcp",
        "url_with_a_fragment": b"http://localhost/weather/mcp#x",
        "url_with_a_backslash": b"http://localhost\\@evil.example/weather/mcp",
    }.items():
        yield name, post(target), *MALFORMED
    for name, target in {
        "two_slashes_in_front": b"//weather/mcp",
        "two_slashes_at_the_end": b"/weather/mcp//",
        "nothing_behind_the_slash": b"/",
        "parent_folder_in_front": b"/../weather/mcp",
        "parent_folder_behind": b"/weather/mcp/../x",
        "encoded_slash": b"/weather%2fmcp",
        "encoded_nul_behind": b"/weather/mcp%00",
        "encoded_line_end_behind": b"/weather/mcp%0d%0aX:1",
        "path_parameters": b"/weather/mcp;jsessionid=1",
        "a_bad_percent_sign": b"/weather/mcp%zz",
    }.items():
        yield name, post(target), *NO_PATH
    for name, target in {
        "another_name": b"/wether/mcp",
        "upper_case_name": b"/WEATHER/mcp",
        "encoded_letter": b"/%77eather/mcp",
        "encoded_dots": b"/%2e%2e/mcp",
        "dots_as_name": b"/../mcp",
        "backslash_in_name": b"/wea\\ther/mcp",
        "another_agent": b"/agents/wether/mcp",
        "a_name_of_300_letters": b"/" + b"w" * 300 + b"/mcp",
    }.items():
        yield name, post(target), *NO_ROUTE
    yield "star_with_post", post(b"*"), *NO_PATH
    yield "options_of_everything", request(b"OPTIONS * HTTP/1.1", body=b"", length=False), *NO_PATH
    yield "longer_than_a_head_may_be", post(b"/weather/mcp?" + b"a" * 66_000), *HEAD


def hosts():
    def of(*hosts, line=LINE):
        return request(line, None, [b"Host: " + host for host in hosts])

    yield "missing", request(host=None), *MALFORMED
    yield "missing_in_http_1_0", request(b"POST /weather/mcp HTTP/1.0", None), *MALFORMED
    yield "twice_the_same", of(b"localhost", b"localhost"), *MALFORMED
    yield "twice_different", of(b"localhost", b"evil.example"), *MALFORMED
    yield "twice_in_different_case", request(fields=[b"hOST: localhost"]), *MALFORMED
    yield "three_times", of(b"localhost", b"localhost", b"localhost"), *MALFORMED
    yield "missing_with_a_url", request(b"POST http://localhost/weather/mcp HTTP/1.1", None), *MALFORMED
    yield "space_before_colon", request(host=b"Host : localhost"), *MALFORMED
    yield "only_in_x_forwarded_host", request(host=b"X-Forwarded-Host: localhost"), *MALFORMED
    for name, host in {
        "empty": b"",
        "blank": b"  ",
        "space_inside": b"local host",
        "tab_inside": b"local\thost",
        "path_behind": b"localhost/weather",
        "scheme_in_front": b"http://localhost",
        "slashes_in_front": b"//localhost",
        "user_in_front": b"user@localhost",
        "port_empty": b"localhost:",
        "port_99999": b"localhost:99999",
        "port_negative": b"localhost:-1",
        "port_signed": b"localhost:+80",
        "port_in_hex": b"localhost:0x50",
        "port_in_words": b"localhost:http",
        "port_alone": b":80",
        "two_ports": b"localhost:80:81",
        "query_behind": b"localhost?a",
        "fragment_behind": b"localhost#a",
        "backslash": b"localhost\\",
        "quotes": b'"localhost"',
        "angle_brackets": b"<localhost>",
        "brace": b"{localhost}",
        "high_byte": b"l\xf6calhost",
        "letter_in_utf_8": "löcalhost".encode(),
        "control": b"localhost\x01",
        "nul": b"localhost\x00",
        "delete": b"localhost\x7f",
        "bare_cr": b"localhost\r.evil.example",
        "bracket_open": b"[::1",
        "bracket_closed_alone": b"::1]",
        "brackets_empty": b"[]",
        "brackets_and_letters": b"[::1]x",
        "version_6_without_brackets": b"::1",
    }.items():
        yield name, of(host), *MALFORMED
    for name, host in {
        "foreign": b"evil.example",
        "foreign_behind_loopback_address": b"127.0.0.1.evil.example",
        "foreign_behind_localhost": b"localhost.evil.example",
        "foreign_with_port": b"evil.example:17001",
        "trailing_dot": b"localhost.",
        "loopback_2": b"127.0.0.2",
        "loopback_short": b"127.1",
        "loopback_as_one_number": b"2130706433",
        "loopback_in_hex": b"0x7f000001",
        "loopback_in_octal": b"0177.0.0.1",
        "loopback_mapped_into_version_6": b"[::ffff:127.0.0.1]",
        "unspecified": b"0.0.0.0",
        "unspecified_of_version_6": b"[::]",
        "metadata_service": b"169.254.169.254",
        "comma_list": b"localhost,evil.example",
        "star": b"*",
        "underscore": b"local_host",
    }.items():
        yield name, of(host), *FOREIGN
    for name, origin in {
        "origin_null": b"null",
        "origin_empty": b"",
        "origin_foreign": b"http://evil.example",
        "origin_foreign_behind_localhost": b"http://localhost.evil.example",
        "origin_foreign_behind_address": b"http://127.0.0.1.evil.example",
        "origin_with_user": b"http://localhost@evil.example",
        "origin_with_loopback_as_host_and_a_user": b"http://evil.example@localhost",
        "origin_with_path": b"http://localhost/evil",
        "origin_without_scheme": b"localhost",
        "origin_of_an_extension": b"chrome-extension://abcdef",
        "origin_of_a_file": b"file://",
        "origin_list": b"http://localhost http://evil.example",
        "origin_high_bytes": b"http://\xff\xfe",
        "origin_upper_scheme_foreign": b"HTTP://EVIL.EXAMPLE",
    }.items():
        yield name, request(fields=[b"Origin: " + origin]), *ORIGIN
    origins = [b"Origin: http://localhost", b"Origin: http://localhost"]
    yield "origin_twice", request(fields=origins), *MALFORMED


def fields():
    for name, line in {
        "folded_with_a_space": b"X-Long: a\r\n b",
        "folded_with_a_tab": b"X-Long: a\r\n\tb",
        "folded_onto_an_empty_value": b"X-Long:\r\n b",
        "blank_line_that_holds_a_space": b"X-Long: a\r\n ",
        "name_empty": b": a",
        "no_colon": b"X-Nothing",
        "no_colon_but_equals": b"X-Nothing=1",
        "space_before_colon": b"X-Odd : a",
        "tab_before_colon": b"X-Odd\t: a",
        "space_in_front": b" X-Odd: a",
        "name_with_space": b"X Odd: a",
        "name_with_parenthesis": b"X(Odd): a",
        "name_with_comma": b"X,Odd: a",
        "name_with_slash": b"X/Odd: a",
        "name_with_semicolon": b"X;Odd: a",
        "name_with_angle_bracket": b"X<Odd>: a",
        "name_with_equals": b"X=Odd: a",
        "name_with_question_mark": b"X?Odd: a",
        "name_with_at": b"X@Odd: a",
        "name_with_bracket": b"X[Odd]: a",
        "name_with_backslash": b"X\\Odd: a",
        "name_with_brace": b"X{Odd}: a",
        "name_with_quotes": b'"X-Odd": a',
        "name_with_nul": b"X-O\x00dd: a",
        "name_with_control": b"X-O\x01dd: a",
        "name_with_delete": b"X-Odd\x7f: a",
        "name_with_high_byte": b"X-\xd6dd: a",
        "name_with_vertical_tab": b"X-Odd\x0b: a",
        "name_with_bare_cr": b"X-O\rdd: a",
        "value_with_nul": b"X-Odd: a\x00b",
        "value_with_control": b"X-Odd: a\x01b",
        "value_with_backspace": b"X-Odd: a\x08b",
        "value_with_vertical_tab": b"X-Odd: a\x0bb",
        "value_with_form_feed": b"X-Odd: a\x0cb",
        "value_with_escape": b"X-Odd: \x1b[2Ja",
        "value_with_delete": b"X-Odd: a\x7fb",
        "value_with_bare_cr": b"X-Odd: a\rb",
        "value_with_bare_cr_and_a_field": b"X-Odd: a\rContent-Length: 0",
        "value_ends_in_two_crs": b"X-Odd: a\r",
        "value_with_bare_lf": b"X-Odd: a\nb",
        "value_with_bare_lf_and_a_field": b"X-Odd: a\nX-Other: b",
        "length_with_underscore": b"Content_Length: 0",
        "encoding_with_underscore": b"Transfer_Encoding: chunked",
        "expectation_unknown": b"Expect: 200-ok",
        "expectation_empty": b"Expect:",
        "expectation_list": b"Expect: 100-continue, 200-ok",
        "expectation_twice": b"Expect: 100-continue\r\nExpect: 100-continue",
        "expectation_with_parameter": b"Expect: 100-continue; q=1",
    }.items():
        yield name, request(fields=[line]), *MALFORMED
    whole = request()
    head, body = whole.split(b"\r\n\r\n")
    yield "all_lines_end_in_lf", head.replace(b"\r\n", b"\n") + b"\n\n" + body, *MALFORMED
    yield "last_line_ends_in_lf", head + b"\n\r\n" + body, *MALFORMED
    yield "empty_line_is_lf", head + b"\r\n\n" + body, *MALFORMED
    yield "both_ends_are_lf", head + b"\n\n" + body, *MALFORMED
    yield "lf_cr_instead_of_cr_lf", head.replace(b"\r\n", b"\n\r") + b"\n\r\n\r" + body, *MALFORMED
    yield "fold_before_the_first_field", whole.replace(b"\r\n", b"\r\n ", 1), *MALFORMED
    yield "folded_length", request(fields=[b"Content-Length:\r\n %d" % len(BODY)], length=False), *MALFORMED
    yield "folded_host", request(host=b"Host:\r\n localhost"), *MALFORMED
    yield "folded_encoding", request(fields=[b"Transfer-Encoding:\r\n chunked"], body=ONE + END, length=False), *MALFORMED
    yield "space_before_colon_of_length", request(fields=[b"Content-Length : 46"], length=False), *MALFORMED
    spaced = [b"Transfer-Encoding : chunked"]
    yield "space_before_colon_of_encoding", request(fields=spaced, body=ONE + END, length=False), *MALFORMED
    yield "300_fields", request(fields=[b"X-Many: 1"] * 300), *HEAD
    yield "600_fields", request(fields=[b"X: 1"] * 600), *HEAD
    yield "a_value_of_66000_bytes", request(fields=[b"X-Long: " + b"a" * 66_000]), *HEAD
    yield "a_name_of_66000_bytes", request(fields=[b"X" * 66_000 + b": a"]), *HEAD
    yield "a_head_without_end", LINE + b"\r\n" + HOST + b"\r\nX-Long: " + b"a" * 66_000, *HEAD


def lengths():
    for name, value in {
        "signed": b"+46",
        "negative": b"-1",
        "negative_zero": b"-0",
        "in_hex": b"0x2e",
        "in_hex_letters": b"2e",
        "with_fraction": b"46.0",
        "with_exponent": b"46e0",
        "list_of_equals": b"46, 46",
        "list_of_different": b"46, 47",
        "list_with_a_gap": b"46,",
        "two_numbers": b"4 6",
        "with_semicolon": b"46;",
        "with_unit": b"46B",
        "with_underscore": b"4_6",
        "with_separator": b"4'6",
        "quoted": b'"46"',
        "empty": b"",
        "blank": b"   ",
        "word": b"many",
        "not_a_number": b"NaN",
        "infinite": b"Infinity",
        "arabic_digits": "٤٦".encode(),
        "fullwidth_digits": "４６".encode(),
        "one_beyond_64_bits": b"18446744073709551616",
        "of_60_digits": b"9" * 60,
        "wraps_around_to_46": b"18446744073709551662",
        "percent_encoded": b"%34%36",
        "with_vertical_tab": b"\x0b46",
        "star": b"*",
    }.items():
        yield name, request(fields=[b"Content-Length: " + value], length=False), *MALFORMED
    both = [b"Content-Length: 46", b"content-length: 46"]
    yield "twice_the_same", request(fields=both, length=False), *MALFORMED
    yield "twice_different", request(fields=[b"Content-Length: 0"]), *MALFORMED
    yield "twice_the_second_empty", request(fields=[b"Content-Length:"]), *MALFORMED
    smuggling = request(fields=[b"Content-Length: 0"], body=SMUGGLED, length=False).replace(
        b"Content-Length: 0", b"Content-Length: 0\r\nContent-Length: %d" % len(SMUGGLED), 1
    )
    yield "twice_with_a_request_behind", smuggling, *MALFORMED
    yield "beyond_the_limit", request(fields=[b"Content-Length: 16777217"], length=False), *BODY_SIZE
    yield "the_largest_of_64_bits", request(fields=[b"Content-Length: 18446744073709551615"], length=False), *BODY_SIZE


def encodings():
    for name, value in {
        "identity": b"identity",
        "xchunked": b"xchunked",
        "chunkedx": b"chunkedx",
        "cut_short": b"chunke",
        "chunked_twice": b"chunked, chunked",
        "gzip": b"gzip",
        "gzip_and_chunked": b"gzip, chunked",
        "chunked_and_gzip": b"chunked, gzip",
        "chunked_and_identity": b"chunked, identity",
        "identity_and_chunked": b"identity, chunked",
        "with_parameter": b"chunked;q=1",
        "with_semicolon": b"chunked;",
        "with_a_space_inside": b"chun ked",
        "with_a_tab_inside": b"chun\tked",
        "quoted": b'"chunked"',
        "single_quotes": b"'chunked'",
        "empty": b"",
        "comma_alone": b",",
        "comma_in_front": b", chunked",
        "comma_behind": b"chunked,",
        "colon_in_front": b": chunked",
        "equals": b"=chunked",
        "vertical_tab_in_front": b"\x0bchunked",
        "form_feed_behind": b"chunked\x0c",
        "nul_behind": b"chunked\x00",
        "high_byte_behind": b"chunked\xa0",
        "letter_that_folds_to_k": "chun\u212aed".encode(),
        "separated_by_spaces": b"chunked chunked",
        "compress": b"compress",
    }.items():
        yield name, request(fields=[b"Transfer-Encoding: " + value], body=ONE + END, length=False), *MALFORMED
    te, cl = b"Transfer-Encoding: chunked", b"Content-Length: 5"
    both = {
        "length_then_encoding": [cl, te],
        "encoding_then_length": [te, cl],
        "length_then_identity": [cl, b"Transfer-Encoding: identity"],
        "length_then_an_unknown_encoding": [cl, b"Transfer-Encoding: cow"],
        "length_twice_and_encoding": [cl, cl, te],
        "length_that_is_bad_and_encoding": [b"Content-Length: x", te],
        "encoding_twice": [te, te],
        "encoding_twice_the_first_unknown": [b"Transfer-Encoding: cow", te],
        "encoding_twice_the_second_unknown": [te, b"Transfer-Encoding: cow"],
        "encoding_twice_in_different_case": [te, b"transfer-encoding: chunked"],
        "encoding_twice_the_second_empty": [te, b"Transfer-Encoding:"],
        "length_hidden_by_connection": [b"Connection: Content-Length", cl, te],
        "encoding_hidden_by_connection": [b"Connection: Transfer-Encoding", cl, te],
    }
    for name, lines in both.items():
        yield name, request(fields=lines, body=END + SMUGGLED, length=False), *MALFORMED
    old = request(b"POST /weather/mcp HTTP/1.0", fields=[te], body=ONE + END, length=False)
    yield "chunked_in_http_1_0", old, *MALFORMED
    yield "chunked_get_with_length", request(b"GET /weather/mcp HTTP/1.1", fields=[te, cl], body=END, length=False), *MALFORMED
    yield "smuggling_by_length", request(fields=[te, b"Content-Length: 4"], body=b"5c\r\n" + SMUGGLED + b"\r\n" + END, length=False), *MALFORMED


def chunks():
    n = len(BODY)
    for name, body in {
        "size_ends_in_lf": b"%x\n%s\r\n" % (n, BODY) + END,
        "size_ends_in_cr": b"%x\r%s\r\n" % (n, BODY) + END,
        "size_ends_in_two_crs": b"%x\r\r\n%s\r\n" % (n, BODY) + END,
        "size_missing": BODY + b"\r\n" + END,
        "size_line_empty": b"\r\n%s\r\n" % BODY + END,
        "size_negative": b"-%x\r\n%s\r\n" % (n, BODY) + END,
        "size_signed": b"+%x\r\n%s\r\n" % (n, BODY) + END,
        "size_with_prefix": b"0x%x\r\n%s\r\n" % (n, BODY) + END,
        "size_with_suffix": b"%xh\r\n%s\r\n" % (n, BODY) + END,
        "size_with_underscore": b"2_e\r\n%s\r\n" % BODY + END,
        "size_with_comma": b"2,e\r\n%s\r\n" % BODY + END,
        "size_with_dot": b"2e.0\r\n%s\r\n" % BODY + END,
        "size_quoted": b'"2e"\r\n%s\r\n' % BODY + END,
        "size_behind_a_space": b" %x\r\n%s\r\n" % (n, BODY) + END,
        "size_behind_a_tab": b"\t%x\r\n%s\r\n" % (n, BODY) + END,
        "size_before_a_space": b"%x \r\n%s\r\n" % (n, BODY) + END,
        "size_before_a_tab": b"%x\t\r\n%s\r\n" % (n, BODY) + END,
        "size_of_two_numbers": b"2 e\r\n%s\r\n" % BODY + END,
        "size_in_fullwidth_digits": "２ｅ".encode() + b"\r\n%s\r\n" % BODY + END,
        "size_of_a_letter_beyond_f": b"g\r\n%s\r\n" % BODY + END,
        "size_of_16_digits": b"000000000000002e\r\n%s\r\n" % BODY + END,
        "size_of_17_digits": b"1000000000000002e\r\n%s\r\n" % BODY + END,
        "size_of_the_largest_number": b"ffffffffffffffff\r\n%s\r\n" % BODY + END,
        "size_with_nul": b"%x\x00\r\n%s\r\n" % (n, BODY) + END,
        "size_with_high_byte": b"%x\xa0\r\n%s\r\n" % (n, BODY) + END,
        "size_with_vertical_tab": b"%x\x0b\r\n%s\r\n" % (n, BODY) + END,
        "size_with_colon": b"%x:\r\n%s\r\n" % (n, BODY) + END,
        "size_too_small": b"%x\r\n%s\r\n" % (n - 1, BODY) + END,
        "size_too_large": b"%x\r\n%s\r\n" % (n + 1, BODY) + END,
        "data_ends_in_lf": b"%x\r\n%s\n" % (n, BODY) + END,
        "data_ends_in_cr": b"%x\r\n%s\r" % (n, BODY) + END,
        "data_ends_in_nothing": b"%x\r\n%s" % (n, BODY) + END,
        "data_ends_in_two_lines": ONE + b"\r\n" + END,
        "extension_with_lf": b"%x;a\n%s\r\n" % (n, BODY) + END,
        "extension_with_lf_and_a_size": b"%x;a=\n2\r\n%s\r\n" % (n, BODY) + END,
        "extension_with_cr": b"%x;a\rb\r\n%s\r\n" % (n, BODY) + END,
        "extension_with_nul": b"%x;a\x00\r\n%s\r\n" % (n, BODY) + END,
        "extension_with_delete": b"%x;a\x7f\r\n%s\r\n" % (n, BODY) + END,
        "extension_without_semicolon": b"%x a=b\r\n%s\r\n" % (n, BODY) + END,
        "extension_with_quoted_lf": b'%x;a="\n"\r\n%s\r\n' % (n, BODY) + END,
        "extension_of_5000_bytes": b"%x;%s\r\n%s\r\n" % (n, b"a" * 5_000, BODY) + END,
        "last_size_ends_in_lf": ONE + b"0\n\r\n",
        "last_line_ends_in_lf": ONE + b"0\r\n\n",
        "last_chunk_in_lf_only": ONE + b"0\n\n",
        "last_extension_with_lf": ONE + b"0;a\n\r\n",
        "last_size_negative": ONE + b"-0\r\n\r\n",
        "trailer_without_colon": ONE + b"0\r\nX-Odd\r\n\r\n",
        "trailer_with_empty_name": ONE + b"0\r\n: a\r\n\r\n",
        "trailer_folded": ONE + b"0\r\nX-Odd: a\r\n b\r\n\r\n",
        "trailer_behind_a_space": ONE + b"0\r\n X-Odd: a\r\n\r\n",
        "trailer_with_space_before_colon": ONE + b"0\r\nX-Odd : a\r\n\r\n",
        "trailer_with_space_in_name": ONE + b"0\r\nX Odd: a\r\n\r\n",
        "trailer_ends_in_lf": ONE + b"0\r\nX-Odd: a\n\r\n",
        "trailer_with_bare_cr": ONE + b"0\r\nX-Odd: a\rb\r\n\r\n",
        "trailer_with_nul": ONE + b"0\r\nX-Odd: a\x00\r\n\r\n",
        "trailer_of_17000_bytes": ONE + b"0\r\nX-Odd: %s\r\n\r\n" % (b"a" * 17_000),
        "trailer_that_is_a_length": ONE + b"0\r\nContent-Length: 5\r\n\r\n",
        "trailer_that_is_an_encoding": ONE + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "trailer_that_is_a_host": ONE + b"0\r\nHost: evil.example\r\n\r\n",
        "trailer_that_is_a_session": ONE + b"0\r\nMcp-Session-Id: stolen\r\n\r\n",
        "trailer_that_is_a_method": ONE + b"0\r\nMcp-Method: tools/call\r\n\r\n",
        "trailer_that_is_ours": ONE + b"0\r\nOutrigger-Caller: boss\r\n\r\n",
        "trailer_that_is_connection": ONE + b"0\r\nConnection: keep-alive\r\n\r\n",
    }.items():
        yield name, chunked(body), *MALFORMED


def headers_of_mcp():
    for name, lines in {
        "session_twice": [b"Mcp-Session-Id: a", b"Mcp-Session-Id: b"],
        "session_twice_the_same": [b"Mcp-Session-Id: a", b"mcp-session-id: a"],
        "session_empty": [b"Mcp-Session-Id:"],
        "session_with_space": [b"Mcp-Session-Id: a b"],
        "session_with_tab": [b"Mcp-Session-Id: a\tb"],
        "session_with_high_byte": [b"Mcp-Session-Id: a\xffb"],
        "session_in_utf_8": ["Mcp-Session-Id: sitzungü".encode()],
        "session_of_1025_bytes": [b"Mcp-Session-Id: " + b"a" * 1025],
        "version_twice": [b"MCP-Protocol-Version: 2025-11-25", b"MCP-Protocol-Version: 2026-07-28"],
        "version_twice_the_same": [b"MCP-Protocol-Version: 2025-11-25"] * 2,
        "method_twice": [b"Mcp-Method: tools/list", b"Mcp-Method: tools/call"],
        "method_high_byte": [b"Mcp-Method: tools/\xff"],
        "name_twice": [b"Mcp-Name: a", b"Mcp-Name: b"],
        "name_high_byte": [b"Mcp-Name: \xc3"],
        "last_event_twice": [b"Last-Event-ID: 1", b"Last-Event-ID: 2"],
    }.items():
        yield name, request(fields=lines), *MALFORMED


def cut_short():
    whole = request()
    line_end = whole.index(b"\r\n")
    head_end = whole.index(b"\r\n\r\n")
    for name, data in {
        "in_the_method": whole[:2],
        "in_the_target": whole[:9],
        "in_the_version": whole[: line_end - 2],
        "between_cr_and_lf": whole[: line_end + 1],
        "behind_the_request_line": whole[: line_end + 2],
        "in_a_field_name": whole[: line_end + 4],
        "in_a_field_value": whole[: line_end + 12],
        "before_the_empty_line": whole[: head_end + 2],
        "in_the_empty_line": whole[: head_end + 3],
        "lines_that_end_in_cr_only": whole.replace(b"\r\n", b"\r"),
        "before_the_body": whole[: head_end + 4],
        "in_the_body": whole[: head_end + 20],
        "one_byte_before_the_end": whole[:-1],
        "body_after_a_promise_to_wait": request(fields=[b"Expect: 100-continue"])[: -len(BODY)],
        "before_the_first_chunk": chunked(b""),
        "in_a_size": chunked(b"2"),
        "between_cr_and_lf_of_a_size": chunked(b"2e\r"),
        "in_an_extension": chunked(b"2e;a"),
        "in_a_chunk": chunked(b"2e\r\n" + BODY[:9]),
        "behind_the_data": chunked(b"2e\r\n" + BODY),
        "between_cr_and_lf_of_data": chunked(b"2e\r\n" + BODY + b"\r"),
        "before_the_last_chunk": chunked(ONE),
        "in_the_last_chunk": chunked(ONE + b"0"),
        "before_the_last_line": chunked(ONE + b"0\r\n"),
        "in_the_last_line": chunked(ONE + b"0\r\n\r"),
        "in_a_trailer": chunked(ONE + b"0\r\nX-Od"),
        "behind_a_trailer": chunked(ONE + b"0\r\nX-Odd: a\r\n"),
    }.items():
        yield name, data, *SLOW


GROUPS = {
    "request_line": request_lines,
    "target": targets,
    "host": hosts,
    "field": fields,
    "length": lengths,
    "encoding": encodings,
    "chunk": chunks,
    "mcp": headers_of_mcp,
    "cut_short": cut_short,
}
