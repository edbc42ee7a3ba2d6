"""Security rule 18: what users and plugins say cannot act on a terminal."""

import json

import pytest

from wunder.cli.failure import CommandFailed
from wunder.cli.output import Output
from wunder.cli.plain_text import plain

HOSTILE = "a\x1b[31m\r\nwunder: ok\x07\x9b2J\u202ereversed\u2066[/red]"


def test_rule_18_every_control_and_direction_character_is_escaped():
    shown = plain(HOSTILE)
    assert shown == r"a\x1b[31m\r\nwunder: ok\x07\x9b2J\u202ereversed\u2066[/red]"
    assert shown.isprintable()


def test_half_characters_can_be_printed():
    assert plain("x\ud800y").encode() == rb"x\ud800y"


def test_what_people_write_stays_as_it_is():
    assert plain("早 café 😀 [/red] {x}") == "早 café 😀 [/red] {x}"


def test_rule_18_a_table_prints_markup_and_control_characters_as_text(capsys):
    Output(is_json=False).table([{"peer": HOSTILE}], [("PEER", "peer")], "none")
    shown = capsys.readouterr().out
    assert "[/red]" in shown
    assert r"\x1b[31m" in shown
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2


def test_rule_18_facts_notes_and_failures_are_escaped(capsys):
    out = Output(is_json=False)
    out.facts([("text", HOSTILE), (HOSTILE, 1)])  # a field of a configuration has any name
    out.note(HOSTILE)
    out.failed(CommandFailed(HOSTILE, where=HOSTILE, advice=[HOSTILE]))
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "\u202e" not in shown.out + shown.err


def test_rule_18_json_is_escaped_and_still_means_the_same(capsys):
    Output(is_json=True).document({"text": HOSTILE})
    shown = capsys.readouterr().out
    assert not any(character in shown for character in "\x1b\x9b\u202e\u2066\x07")
    assert json.loads(shown) == {"text": HOSTILE}


def test_a_table_on_a_pipe_is_never_folded(capsys):
    Output(is_json=False).table([{"id": "x" * 500}], [("ID", "id")], "none")
    assert "x" * 500 in capsys.readouterr().out


def test_nobody_is_asked_where_nobody_sits():
    with pytest.raises(CommandFailed, match="nobody can be asked") as failure:
        Output(is_json=False).confirm("Delete it?", "--yes")
    assert failure.value.advice == ("say it with --yes",)


@pytest.mark.parametrize("is_json", [True, False])
def test_a_failure_says_what_where_and_what_to_do(capsys, is_json: bool):
    failure = CommandFailed("it broke", where="x.zip", advice=["mend it"], document={"code": "c"})
    Output(is_json=is_json).failed(failure)
    shown = capsys.readouterr()
    if is_json:
        assert json.loads(shown.out) == {
            "error": {"what": "it broke", "where": "x.zip", "advice": ["mend it"], "code": "c"}
        }
    else:
        assert shown.err == "wunder: it broke\n  at: x.zip\n  -> mend it\n"
