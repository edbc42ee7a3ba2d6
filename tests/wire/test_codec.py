"""The codec refuses what the protocol refuses, names where, and keeps secrets out of it."""

import json
from dataclasses import fields

import msgspec
import pytest

from wunder_wire import codec, fast, json_text
from wunder_wire.errors import ErrorData, ErrorObject
from wunder_wire.message import ChannelMessage, Location, Peer, Sender
from wunder_wire.methods import Account, Empty, ParseParams, ParseResult, StatePut, StateValue

ENGINES = [codec.STDLIB, fast.ENGINE]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request):
    return request.param


@pytest.mark.parametrize(
    ("data", "pointer", "problem"),
    [
        (b'{"key":1,"value":2}', "/key", "expected string, got integer"),
        (b'{"value":2}', "/key", "required field is missing"),
        (b'{"key":"a","value":2,"rev":true}', "/rev", "expected integer, got boolean"),
        (b'{"key":"a","value":2,"rev":1.5}', "/rev", "expected integer, got number"),
        (b"[]", "", "expected object, got array"),
        (b'{"key":"a","value":NaN}', "", "NaN and Infinity are not JSON"),
        (b'{"key":"a","value":-Infinity}', "", "NaN and Infinity are not JSON"),
        (b'{"key":"a","value":1e999}', "", "number out of range"),
        (b'{"key":"a","value":"\\ud800"}', "", "half a character (lone surrogate)"),
        (b'{"key":"a","value":"\xff"}', "", "not UTF-8 at byte 20"),
        (b'{"key":"a",', "", "not JSON at character 11"),
        (b'\xef\xbb\xbf{"key":"a","value":1}', "", "not JSON at character 0"),
        (b"", "", "not JSON at character 0"),
    ],
)
def test_faults_are_named_by_pointer(engine, data, pointer, problem):
    with pytest.raises(codec.DecodeError) as caught:
        engine.decode(StatePut, data)

    assert (caught.value.pointer, caught.value.problem) == (pointer, problem)


def test_the_value_is_never_in_the_error(engine):
    secret = "hunter2"
    document = {"account_id": "a", "rev": secret, "config": {"token": secret}}

    with pytest.raises(codec.DecodeError) as caught:
        engine.decode(Account, json.dumps(document).encode())

    assert secret not in str(caught.value)


def test_pointers_escape_slashes():
    error = codec.DecodeError("x").inside("a/b~c").inside(3)

    assert error.pointer == "/3/a~1b~0c"


def test_of_duplicate_keys_the_last_counts(engine):
    assert engine.decode(StatePut, b'{"key":"a","key":"b","value":1}').key == "b"


def test_a_whole_float_is_an_integer_as_in_json_schema(engine):
    assert engine.decode(StatePut, b'{"key":"a","value":1,"rev":2.0}').rev == 2


@pytest.mark.parametrize("deep", [64, 65, 3_000, 200_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_free_json_is_at_most_64_deep_and_never_a_recursion_error(engine, deep, brackets):
    left, right = ("[", "]") if brackets == "[]" else ('{"a":', "}")
    data = f'{{"key":"a","value":{left * deep}1{right * deep}}}'.encode()

    if deep <= 64:
        assert engine.decode(StatePut, data).key == "a"
    else:
        with pytest.raises(codec.DecodeError, match="nested deeper than"):
            engine.decode(StatePut, data)


@pytest.mark.parametrize("deep", [65, 3_000, 200_000])
def test_a_raw_part_is_checked_for_depth_by_itself(deep):
    part = msgspec.Raw(b'{"value":' + b"[" * deep + b"]" * deep + b"}")

    with pytest.raises(codec.DecodeError, match="nested deeper than"):
        fast.ENGINE.decode_part(StateValue, part)


def test_brackets_inside_strings_do_not_count(engine):
    text = "[" * 500 + '"' + "{" * 500 + "\\"

    assert engine.decode(StateValue, json.dumps({"value": text}).encode()).value == text


def test_wide_documents_are_not_deep(engine):
    value = [[{"a": []}]] * 200

    assert engine.decode(StateValue, json.dumps({"value": value}).encode()).value == value


def test_mismatched_brackets_are_refused_without_recursion():
    with pytest.raises(codec.DecodeError):
        codec.parse_json(b"[" * 1_000_000)


def test_half_characters_can_be_replaced_for_platforms_that_cut_them():
    body = b'{"text":"\\ud83d and \\ud83d\\ude00"}'

    assert codec.parse_json(body, replace_surrogates=True) == {"text": "\ufffd and \U0001f600"}


def test_absent_optional_fields_are_left_out(engine):
    message = ChannelMessage("c", "a", Peer("user", "u"), "m", Sender("s"), 5, text="é")

    document = codec.to_json(ParseResult(messages=(message,)))

    assert list(document) == ["messages"]
    assert set(document["messages"][0]) == {
        "channel", "account_id", "peer", "message_id", "sender", "ts", "type", "text",
    }  # fmt: skip
    assert engine.decode(ParseResult, codec.encode(document)).messages == (message,)


def test_required_empty_fields_stay():
    assert codec.to_json(Account("a", 1, {})) == {
        "account_id": "a", "rev": 1, "config": {}, "channel": "",
    }  # fmt: skip


def test_frames_begin_with_version_id_and_method():
    assert codec.request_line(7, "plugin.health", Empty()) == (
        b'{"jsonrpc":"2.0","id":7,"method":"plugin.health","params":{}}\n'
    )
    assert codec.result_line("x", {"é": 1}) == (
        '{"jsonrpc":"2.0","id":"x","result":{"é":1}}\n'.encode()
    )
    error = ErrorObject(-32000, "busy", ErrorData("busy", retryable=True))
    assert codec.error_line(None, error).startswith(b'{"jsonrpc":"2.0","id":null,"error":{"code"')


@pytest.mark.parametrize(
    "line",
    [
        b"noise",
        b"[]",
        b"{}",
        b'{"jsonrpc":"1.0","id":1,"method":"x"}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1.5,"method":"x"}',
        b'{"jsonrpc":"2.0","id":true,"method":"x"}',
        b'{"jsonrpc":"2.0","id":[],"method":"x"}',
        b'{"jsonrpc":"2.0","method":5}',
        b'{"jsonrpc":"2.0","id":1,"error":"bad"}',
        b'[{"jsonrpc":"2.0","id":1,"method":"x"}]',
    ],
)
def test_lines_that_are_no_frames_are_refused(engine, line):
    with pytest.raises(codec.DecodeError):
        engine.decode_frame(line)


def test_frames_tell_what_they_are(engine):
    request = engine.decode_frame(b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"key":"k"}}\r\n')
    notification = engine.decode_frame(b'{"jsonrpc":"2.0","method":"m"}')
    response = engine.decode_frame(b'{"jsonrpc":"2.0","id":1,"result":null}')
    failure = engine.decode_frame(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}')

    assert (request.is_request, notification.is_notification) == (True, True)
    assert (response.is_response, failure.is_response) == (True, True)
    assert failure.error.kind == "bad_frame"
    assert notification.params is codec.ABSENT


@pytest.mark.parametrize("value", [float("nan"), {"x": {1, 2}}, [float("inf")], object()])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(codec.EncodeError):
        json_text.dumps(value)


def test_cycles_are_refused():
    cycle = []
    cycle.append(cycle)

    with pytest.raises(codec.EncodeError):
        json_text.dumps(cycle)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(codec.DecodeError, match="number out of range"):
        codec.parse_json(b"1" * 5_000)
    with pytest.raises(codec.DecodeError, match="number out of range"):
        codec.from_json(Location, {"lat": 10**400, "lng": 0})


def test_the_engine_is_chosen_for_the_process():
    before = codec.engine().name
    fast.install()
    try:
        assert codec.engine().name == "msgspec"
        assert codec.decode(StateValue, b'{"rev":3}').rev == 3
    finally:
        codec.use(codec.STDLIB if before == "stdlib" else fast.ENGINE)


def test_a_call_read_in_one_pass_is_what_two_looks_give():
    params = {
        "account": {"account_id": "a", "rev": 2.0, "config": {"k": [1]}, "weather": "sunny"},
        "http": {
            "method": "POST", "path": "/", "query": [["a", "b"]], "headers": [["X-A", "1"]],
            "body_b64": "aGk=", "remote_addr": "", "received_ms": 5,
        },
    }  # fmt: skip
    whole = {**params, "account": {**params["account"], "rev": 2}}
    line = codec.request_line(7, "channel.parse_inbound", whole)

    (found,) = fast.ENGINE.decode_requests(line)
    plain = codec.decode_params(ParseParams, codec.plain_decode_frame(line))

    assert (found.id, found.method) == (7, "channel.parse_inbound")
    assert found.params.http.body_b64 == b"hi"
    for part in ("account", "http"):
        for field in fields(getattr(plain, part)):
            if field.name != "body_b64":
                said = getattr(getattr(found.params, part), field.name)
                assert said == getattr(getattr(plain, part), field.name)
    # What takes a second look gets one: a whole float counts, and msgspec does not take it.
    assert (
        fast.ENGINE.decode_requests(codec.request_line(7, "channel.parse_inbound", params)) is None
    )


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"plugin.health","params":{}}',
        b'{"jsonrpc":"2.0","id":"x","method":"channel.send_outbound","params":{}}',
        b'{"jsonrpc":"2.0","id":1,"method":"channel.send_outbound","params":{}}',
        b'{"jsonrpc":"2.0","method":"$/cancel","params":{"id":1}}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
        b"hello?",
        b"[" * 100_000,
    ],
)
def test_whatever_is_no_plain_call_waits_for_a_second_look(engine, line):
    assert engine.decode_requests(line) is None


@pytest.mark.parametrize("text", ["", "aGk=", "aGVsbG8=", "/+==", "////"])
def test_base64_is_read_alike(engine, text):
    assert engine.bytes_of(text) == codec.STDLIB.bytes_of(text)


@pytest.mark.parametrize("text", ["%%%", "aGk", "aGk=aGk=", "a Gk=", "aGk=\n", "=", "-_==", "é"])
def test_what_is_no_base64_is_refused(engine, text):
    with pytest.raises(codec.DecodeError, match="not base64"):
        engine.bytes_of(text)


def test_results_without_a_value_are_absent_or_null_and_mean_the_same(engine):
    line = engine.encode(ParseResult(ignored="x"))

    assert codec.STDLIB.decode(ParseResult, line) == ParseResult(ignored="x")
