"""Configuration comes from files, stdin or prompts, and what it holds is never shown."""

import io
import os

import pytest

from wunder.cli import given_config
from wunder.cli.failure import BAD_USAGE, CommandFailed
from wunder.cli.given_config import ask_config, read_config
from wunder.cli.output import Output

SCHEMA = {
    "type": "object",
    "required": ["app_id", "secret"],
    "x-order": ["app_id", "secret", "port"],
    "properties": {
        "expert": {"type": "string", "x-advanced": True},
        "port": {"type": "integer", "title": "Port", "default": 80},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "secret": {"type": "string", "writeOnly": True, "title": "Secret"},
        "app_id": {"type": "string", "title": "App", "x-i18n": {"zh-CN": {"title": "应用"}}},
    },
}


class Person(Output):
    """Somebody who types what the test says."""

    def __init__(self, *typed: str) -> None:
        super().__init__(is_json=False)
        self.typed = list(typed)
        self.asked: list[str] = []
        self.asked_secretly: list[str] = []

    def ask(self, question: str, instead: str) -> str:
        self.asked.append(question)
        return self.typed.pop(0)

    def ask_secret(self, question: str, instead: str) -> str:
        self.asked_secretly.append(question)
        return self.typed.pop(0)


def test_json_and_toml_files_and_stdin_say_the_same(tmp_path, monkeypatch):
    wanted = {"app_id": "1", "nested": {"secret": "s"}}
    (tmp_path / "a.json").write_text('{"app_id": "1", "nested": {"secret": "s"}}')
    (tmp_path / "a.toml").write_text('app_id = "1"\n[nested]\nsecret = "s"\n')
    monkeypatch.setattr("sys.stdin", io.StringIO('{"app_id":"1","nested":{"secret":"s"}}'))
    for source in (str(tmp_path / "a.json"), str(tmp_path / "a.toml"), "-"):
        assert read_config(source, Person()) == wanted


def test_a_file_that_others_can_read_is_remarked_on(tmp_path, capsys):
    path = tmp_path / "a.json"
    path.write_text("{}")
    os.chmod(path, 0o644)
    read_config(str(path), Person())
    assert "can be read by others" in capsys.readouterr().err
    os.chmod(path, 0o600)
    read_config(str(path), Person())
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b'{"secret": "hunter2"', "line 1, column 21"),
        ("a.json", b'["hunter2"]', "no object"),
        ("a.json", b'{"secret": "hunter2\xff"}', "not UTF-8"),
        ("a.toml", b'secret = "hunter2', "not TOML"),
        ("a.json", b"[" * 100_000, "too deep"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_without_what_it_holds(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommandFailed) as failure:
        read_config(str(path), Person())
    assert words in failure.value.what
    assert failure.value.exit_code == BAD_USAGE
    assert "hunter2" not in str(failure.value.as_document())


def test_a_form_is_asked_in_its_order_with_its_types_and_in_the_language():
    person = Person("A1", "s3cret", "8080", "")
    assert ask_config(SCHEMA, "zh-CN", person) == {"app_id": "A1", "secret": "s3cret", "port": 8080}
    assert person.asked == ["应用:", "Port (default 80):", "mode [a, b]:"]
    assert person.asked_secretly == ["Secret:"]


def test_a_required_field_is_asked_for_again(capsys):
    person = Person("", "A1", "s3cret", "", "b")
    assert ask_config(SCHEMA, "", person) == {"app_id": "A1", "secret": "s3cret", "mode": "b"}
    assert "app_id is required" in capsys.readouterr().err


def test_a_channel_without_a_form_wants_a_file():
    with pytest.raises(CommandFailed, match="no form") as failure:
        ask_config(None, "", Person())
    assert "--config-file" in failure.value.advice[0]


def test_stdin_is_read_to_a_bound_only(monkeypatch):
    monkeypatch.setattr(given_config, "MAX_BYTES", 10)
    monkeypatch.setattr("sys.stdin", io.StringIO('{"a": "' + "x" * 100 + '"}'))
    with pytest.raises(CommandFailed, match="not JSON"):
        read_config("-", Person())


def test_a_form_without_a_terminal_says_which_option_takes_its_place():
    with pytest.raises(CommandFailed, match="there is no terminal") as failure:
        ask_config(SCHEMA, "en", Output(is_json=False))
    assert failure.value.advice == ("say it with --config-file FILE (- for stdin)",)
