"""Global options stand anywhere on the line, and nothing else is touched."""

import pytest

from wunder.cli.failure import BAD_USAGE, CommandFailed
from wunder.cli.global_options import GlobalOptions, split_global_options


def test_global_options_are_found_wherever_they_stand():
    options, rest = split_global_options(
        ["--json", "plugin", "--data-dir", "/d", "list", "--url=http://x", "--lang", "zh-CN"]
    )
    assert options == GlobalOptions(data_dir="/d", url="http://x", lang="zh-CN", json=True)
    assert rest == ["plugin", "list"]


def test_what_stands_behind_two_dashes_is_left_alone():
    options, rest = split_global_options(["message", "--", "--json", "--data-dir"])
    assert not options.json
    assert rest == ["message", "--", "--json", "--data-dir"]


def test_an_option_of_a_command_that_begins_alike_is_left_alone():
    options, rest = split_global_options(["account", "add", "--config-file", "x", "--token", "y"])
    assert options == GlobalOptions()
    assert rest == ["account", "add", "--config-file", "x", "--token", "y"]


@pytest.mark.parametrize("line", [["--data-dir"], ["--url="], ["plugin", "--config"]])
def test_an_option_without_its_value_is_bad_usage(line: list[str]):
    with pytest.raises(CommandFailed) as failure:
        split_global_options(line)
    assert failure.value.exit_code == BAD_USAGE
    assert "needs a value" in failure.value.what


def test_an_unknown_language_is_bad_usage():
    with pytest.raises(CommandFailed, match="zh-CN"):
        split_global_options(["--lang", "fr"])


def test_the_data_dir_becomes_a_setting():
    options, _ = split_global_options(["--data-dir", "/d"])
    assert options.overrides == {"WUNDER_DATA_DIR": "/d"}
