"""What counts as a call on stdin, and what the command fills in."""

import asyncio
import os

import pytest

from wunder.cli.call.lines import Call, StdinLines, answer_line, read_call
from wunder.cli.call.params import Completion, completed_result
from wunder.cli.failure import BAD_USAGE, CommandFailed

SCHEMA = {"type": "object", "properties": {"secret": {"type": "string", "writeOnly": True}}}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "not a JSON object"),
        (b'{"method":"m"}', "`id` must be"),
        (b'{"id":true,"method":"m"}', "`id` must be"),
        (b'{"id":1}', "`method` must be"),
        (b'{"id":1,"method":""}', "`method` must be"),
        (b'{"id":1,"method":"m","params":[]}', "`params` must be"),
        (b'{"id":NaN,"method":"m"}', "NaN"),
        (b"[" * 5_000 + b"]" * 5_000, "deeper"),
    ],
    ids=str,
)
def test_a_line_that_is_no_call_is_bad_usage_and_named(line: bytes, why: str):
    with pytest.raises(CommandFailed, match="line 7: ") as failure:
        read_call(line, 7)
    assert why in failure.value.what
    assert failure.value.exit_code == BAD_USAGE


def test_a_call_may_have_no_params_and_any_id():
    assert read_call(b'{"id":"x","method":"plugin.health"}', 1) == Call(1, "x", "plugin.health", {})


def test_an_answer_is_one_line():
    assert answer_line("x", "result", {"text": "a\nb"}) == b'{"id":"x","result":{"text":"a\\nb"}}\n'


async def test_lines_are_read_one_by_one_to_the_end():
    read_fd, write_fd = os.pipe()
    lines = StdinLines(read_fd)
    os.write(write_fd, b"one\n\ntw")
    async with asyncio.timeout(5):
        assert [await lines.next(), await lines.next()] == [b"one", b""]
        os.write(write_fd, b"o")
        os.close(write_fd)
        assert [await lines.next(), await lines.next(), await lines.next()] == [b"two", None, None]
    os.close(read_fd)


def test_secrets_are_taken_out_of_config_by_the_schema():
    account = {"account_id": "a", "config": {"app": 1, "secret": "s"}, "secrets": {"other": "o"}}
    completed = Completion("parrot", SCHEMA).params({"account": account}, 5)["account"]
    assert completed["config"] == {"app": 1}
    assert completed["secrets"] == {"secret": "s", "other": "o"}
    assert (completed["channel"], completed["rev"]) == ("parrot", 1)
    assert account["config"] == {"app": 1, "secret": "s"}


def test_without_a_schema_the_whole_configuration_is_secret():
    account = {"account_id": "a", "config": {"app": 1}}
    completed = Completion("parrot", None).params({"account": account}, 5)["account"]
    assert (completed["config"], completed["secrets"]) == ({}, {"app": 1})


@pytest.mark.parametrize(
    ("given", "sent"), [({"received_ms": 0}, 5), ({"received_ms": 3}, 3), ({}, 5)]
)
def test_a_request_without_a_time_gets_one(given: dict[str, int], sent: int):
    params = Completion("parrot", None).params({"http": given}, 5)
    assert params["http"]["received_ms"] == sent


def test_a_revision_stands_for_one_configuration():
    completion = Completion("parrot", SCHEMA)

    def rev_of(config: dict[str, object], account_id: str = "a") -> int:
        account = {"account_id": account_id, "rev": 4, "config": config}
        rev: int = completion.params({"account": account}, 5)["account"]["rev"]
        return rev

    first, second = rev_of({"app": 1}), rev_of({"app": 2})
    assert first == 4
    assert second != 4
    assert (rev_of({"app": 1}), rev_of({"app": 2})) == (first, second)
    assert rev_of({"app": 3}) not in {first, second}
    assert rev_of({"app": 2}, "b") == 4


@pytest.mark.parametrize("params", [{"account": 1}, {"account": {"config": 3}}, {"http": "x"}])
def test_what_does_not_fit_is_left_for_the_channel_to_judge(params):
    sent = Completion("parrot", None).params(params, 5)
    assert sent.keys() == params.keys()


def test_a_result_has_the_members_that_the_protocol_promises():
    assert completed_result("channel.parse_inbound", {}) == {"messages": []}
    assert completed_result("channel.send_outbound", {}) == {}
