"""What a log line holds, and what it can never hold."""

import io
import json
import logging

import pytest

from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.ids import AccountId, AccountUid, At, ChannelId
from wunder.observe import logs


@pytest.fixture
def lines():
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("debug", json=True, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.configure("info", json=True)
    root.handlers[:], root.level = before


log = logs.get_logger("wunder.test")


def test_a_line_has_time_level_event_and_fields(lines):
    log.info("delivery_sent", delivery_id="d1", attempt_no=2, took_ms=41.5)
    (line,) = lines()
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "event": "delivery_sent",
        "logger": "wunder.test",
        "delivery_id": "d1",
        "attempt_no": 2,
        "took_ms": 41.5,
    }


def test_rule_18_control_and_bidirectional_characters_are_escaped(lines):
    log.info("seen", peer="a\x1b[31m\r\nfake: line\u202e\u2028")
    (line,) = lines()
    assert line["peer"] == "a\\u001b[31m\\u000d\\u000afake: line\\u202e\\u2028"


def test_rule_18_secret_fields_are_masked_at_any_depth(lines):
    log.info("saved", app_secret="s1", config={"api_key": "s2", "app_id": "a", "access_token": "s"})
    text = json.dumps(lines())
    assert "s1" not in text
    assert "s2" not in text
    assert lines()[0]["config"]["app_id"] == "a"


def test_rule_18_objects_show_their_type_and_no_content(lines):
    row = AccountRow(
        AccountUid("u"),
        ChannelId("c"),
        AccountId("a"),
        "name",
        "enabled",
        AccountConfig(),
        b"sealed",
        1,
        1,
        "k",
        At(0),
        At(0),
    )
    log.info("seen", account=Account(row, {"app_secret": "hidden"}), body=b"hidden", row=row)
    assert lines()[0]["account"] == "<Account>"
    assert "hidden" not in json.dumps(lines())
    assert lines()[0]["body"] == "<bytes of 6 bytes>"


def test_an_exception_brings_its_traceback(lines):
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("turn_failed")
    assert "ValueError: broken" in lines()[0]["traceback"]
    assert lines()[0]["level"] == "error"


def test_lines_below_the_level_are_not_written():
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("warning", stream=stream)
    log.info("quiet")
    log.warning("loud")
    logs.configure("info")
    root.handlers[:], root.level = before
    assert "loud" in stream.getvalue()
    assert "quiet" not in stream.getvalue()


def test_libraries_join_from_warning_on(lines):
    logging.getLogger("some.library").info("GET /?token=abc")
    logging.getLogger("some.library").warning("odd\x1b")
    (line,) = lines()
    assert line["event"] == "library_logged"
    assert line["detail"] == "odd\\u001b"


def test_a_line_for_people_has_no_control_characters():
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("info", json=False, stream=stream)
    log.info("seen", peer="a\nb", many=[1, "\x1b"])
    logs.configure("info")
    root.handlers[:], root.level = before
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_closed_stream_does_not_stop_the_caller():
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("info", stream=stream)
    stream.close()
    log.info("nobody_reads_this")
    logs.configure("info")
    root.handlers[:], root.level = before


def test_huge_and_deep_fields_are_cut(lines):
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    log.info("seen", text="x" * 10_000, many=list(range(1000)), deep=deep, big=2**80)
    (line,) = lines()
    assert len(line["text"]) == logs.MAX_TEXT_CHARS
    assert len(line["many"]) == logs.MAX_ITEMS
    assert line["big"] == str(2**80)
