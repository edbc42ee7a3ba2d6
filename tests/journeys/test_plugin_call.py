"""Promise P8: `wunder plugin call` runs any channel line by line, without a gateway."""

import json
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = {
    "plugin_id": "parrot",
    "name": "Parrot",
    "version": "0.1.0",
    "api_version": 1,
    "runtime": "python>=3.11",
    "entry": {"any": "app"},
    "capabilities": {"webhook": True},
}
SCHEMA = {
    "type": "object",
    "properties": {"app_id": {"type": "string"}, "secret": {"type": "string", "writeOnly": True}},
}
PLUGIN = """
    import asyncio, os
    from wunder_sdk import Channel, ParseResult, SignatureInvalid

    class Parrot(Channel):
        async def parse_inbound(self, account, http):
            print("a line that is no frame \\x1b[31m")
            if http.path == "/die":
                os._exit(7)
            if http.path == "/forged":
                raise SignatureInvalid("not from the platform")
            if http.path == "/bug":
                raise ValueError("secret words")
            if http.path == "/count":
                seen = (await account.state.get("seen") or 0) + 1
                await account.state.put("seen", seen)
                return ParseResult(ignored=f"seen {seen}")
            if http.path == "/clock":
                return ParseResult(ignored=f"{self.now_ms()} {http.received_ms}")
            return ParseResult(ignored=str(sorted(account.config.items())))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "parrot"
    (path / "app").mkdir(parents=True)
    (path / "schemas").mkdir()
    (path / "plugin.json").write_text(json.dumps(MANIFEST))
    (path / "schemas/account.schema.json").write_text(json.dumps(SCHEMA))
    (path / "app/plugin.py").write_text(textwrap.dedent(PLUGIN))
    return path


def parse(path: str, received_ms: int = 1, **account: Any) -> dict[str, Any]:
    http = {
        "method": "POST",
        "path": path,
        "query": [],
        "headers": [],
        "body_b64": "",
        "remote_addr": "",
        "received_ms": received_ms,
    }
    account = {"account_id": "a", "config": {}, **account}
    return {
        "id": path,
        "method": "channel.parse_inbound",
        "params": {"account": account, "http": http},
    }


def run(target: object, lines: Iterable[object], *options: str) -> subprocess.CompletedProcess[str]:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    return subprocess.run(
        [sys.executable, "-m", "wunder.cli.main", "plugin", "call", str(target), *options],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=50,
        check=False,
    )


def answers(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.process
def test_each_line_gets_its_answer_in_order_whatever_it_is(folder):
    lines = [
        {"id": 1, "method": "plugin.health"},
        parse("/forged"),
        parse("/bug"),
        {"id": "no", "method": "channel.no_such"},
        {
            "id": "bad",
            "method": "channel.parse_inbound",
            "params": {"account": {"account_id": "a"}},
        },
        {"id": "own", "method": "plugin.handshake", "params": {}},
        "",
        parse("/fine"),
    ]
    done = run(folder, lines)
    found = answers(done)
    assert done.returncode == 0, done.stderr
    assert [one["id"] for one in found] == [1, "/forged", "/bug", "no", "bad", "own", "/fine"]
    assert found[0]["result"] == {"status": "ok", "checks": []}
    codes = [one["error"]["code"] for one in found if "error" in one]
    assert codes == [-32010, -32603, -32601, -32602, -32600]
    assert found[-1]["result"] == {"messages": [], "ignored": "[]"}


@pytest.mark.process
def test_ten_failures_in_a_row_open_no_breaker(folder):
    done = run(folder, [parse("/bug")] * 10 + [parse("/fine")])
    assert done.returncode == 0
    assert "result" in answers(done)[-1]


@pytest.mark.process
def test_secrets_in_config_reach_the_channel_and_one_rev_may_stand_for_two_configs(folder):
    one = {"app_id": "1", "secret": "s1"}
    two = {"app_id": "2", "secret": "s2"}
    done = run(folder, [parse("/x", config=config, rev=1) for config in (one, two, one)])
    said = [answer["result"]["ignored"] for answer in answers(done)]
    assert said == [str(sorted(config.items())) for config in (one, two, one)]


@pytest.mark.process
def test_state_is_kept_while_the_command_runs_and_forgotten_after(folder):
    for _ in range(2):
        done = run(folder, [parse("/count"), parse("/count")])
        assert [one["result"]["ignored"] for one in answers(done)] == ["seen 1", "seen 2"]


@pytest.mark.process
def test_now_fixes_the_clock_and_the_time_of_requests_that_name_none(folder):
    done = run(
        folder, [parse("/clock", received_ms=0), parse("/clock", received_ms=9)], "--now", "5.5"
    )
    assert [one["result"]["ignored"] for one in answers(done)] == ["5500 5500", "5500 9"]


@pytest.mark.process
def test_a_target_that_dies_ends_with_1_and_says_at_which_line(folder):
    done = run(folder, [parse("/fine"), parse("/die"), parse("/fine")])
    found = answers(done)
    assert done.returncode == 1
    assert [one["id"] for one in found] == ["/fine", "/die"]
    assert found[1]["error"]["data"]["kind"] == "plugin_crashed"
    assert "line 2 of stdin" in done.stderr
    assert "exit 7" in done.stderr


@pytest.mark.process
def test_rule_18_what_the_plugin_printed_is_shown_escaped_and_is_no_answer(folder):
    done = run(folder, [parse("/fine")])
    assert len(answers(done)) == 1
    assert r"a line that is no frame \x1b[31m" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.process
def test_a_target_that_does_not_start_ends_with_1(folder, tmp_path):
    broken = tmp_path / "broken"
    (broken / "app").mkdir(parents=True)
    (broken / "plugin.json").write_text(json.dumps(MANIFEST))
    (broken / "app/plugin.py").write_text("raise SystemExit(3)\n")
    done = run(broken, [parse("/fine")])
    assert (done.returncode, done.stdout) == (1, "")
    assert "did not start" in done.stderr


@pytest.mark.process
def test_a_zip_is_a_target_too(folder, tmp_path):
    packed = subprocess.run(
        [
            sys.executable,
            "-m",
            "wunder.cli.main",
            "plugin",
            "pack",
            str(folder),
            "--to",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=50,
        check=True,
    )
    (package,) = tmp_path.glob("*.zip")
    assert str(package) in packed.stdout
    assert zipfile.ZipFile(package).namelist()[0] == "plugin.json"
    assert run(package, [parse("/fine")]).returncode == 0


@pytest.mark.process
def test_a_line_that_is_no_call_ends_with_2_and_names_the_line():
    done = run("builtin:qqbot", ['{"id":1,"method":"plugin.health"}', "", "{", parse("/fine")])
    assert done.returncode == 2
    assert len(answers(done)) == 1
    assert "line 3: not JSON" in done.stderr


@pytest.mark.parametrize("target", ["builtin:nobody", "docs", __file__])
@pytest.mark.process
def test_a_target_that_is_none_ends_with_2(target):
    done = run(target, [])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("wunder: ")
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_an_answer_comes_before_the_next_line_is_there(folder):
    command = [sys.executable, "-m", "wunder.cli.main", "plugin", "call", "builtin:qqbot"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for number in (1, 2):
            running.stdin.write(json.dumps({"id": number, "method": "plugin.health"}) + "\n")
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["id"] == number
        running.stdin.close()
        assert running.wait(20) == 0
