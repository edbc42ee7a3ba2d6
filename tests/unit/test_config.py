"""Settings: defaults, then the file, then variables, then the command line; errors say where."""

from pathlib import Path

import pytest

from wunder.config import Config, load_config, settings
from wunder.errors import ConfigInvalid


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "wunder.toml"
    path.write_text(text, "utf-8")
    return path


def refusal(path: Path | None, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigInvalid) as refused:
        load_config(path, environ or {})
    return refused.value.detail


def test_without_anything_the_defaults_hold() -> None:
    assert load_config(None, {}) == Config()


def test_the_later_source_wins(tmp_path: Path) -> None:
    path = written(tmp_path, "[retry]\nretries = 1\nbase_s = 3.0\ncap_s = 30.0\n")
    environ = {"WUNDER_RETRY_RETRIES": "2", "WUNDER_RETRY_BASE_S": "4"}
    retry = load_config(path, environ, {"WUNDER_RETRY_RETRIES": "9"}).retry
    assert (retry.retries, retry.base_s, retry.cap_s) == (9, 4.0, 30.0)


def test_other_variables_of_the_environment_are_left_alone() -> None:
    assert load_config(None, {"PATH": "/bin", "WUNDER_CONFIG": "x.toml"}) == Config()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("WUNDER_DATA_DIR", "/srv/wunder", ("gateway", "data_dir", "/srv/wunder")),
        ("WUNDER_LOG_JSON", "false", ("gateway", "log_json", False)),
        ("WUNDER_EGRESS_ALLOW_HOSTS", "a:1, b", ("egress", "allow_hosts", ("a:1", "b"))),
        ("WUNDER_SERVER_PORT", "9000", ("server", "port", 9000)),
    ],
)
def test_a_variable_is_read_as_what_its_setting_takes(variable, value, expected) -> None:
    section, name, wanted = expected
    assert getattr(getattr(load_config(None, {variable: value}), section), name) == wanted


def test_a_wrong_value_names_its_variable() -> None:
    assert "WUNDER_SERVER_PORT" in refusal(None, {"WUNDER_SERVER_PORT": "http"})
    assert "WUNDER_LOG_JSON" in refusal(None, {"WUNDER_LOG_JSON": "perhaps"})


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("WUNDER_SERVER_PORT", "99999", "from 0 to 65535"),
        ("WUNDER_RETENTION_MESSAGES_DAYS", "-1", "not below 0"),
        ("WUNDER_STOP_GRACE_S", "nan", "not below 0"),
        ("WUNDER_STOP_GRACE_S", "inf", "not below 0"),
        ("WUNDER_RUNTIME_LIMITS_OOM_SCORE_ADJ", "2000", "from -1000 to 1000"),
    ],
)
def test_an_amount_that_cannot_be_is_refused_by_name(
    variable: str, value: str, wanted: str
) -> None:
    said = refusal(None, {variable: value})
    assert said.startswith(f"{variable}: Expected a number")
    assert wanted in said


def test_an_amount_in_the_file_that_cannot_be_is_refused_by_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, "[retention]\nmessages_days = -1\n")
    assert f"{path}: retention.messages_days" in refusal(path)


def test_every_default_is_within_its_bounds() -> None:
    load_config(None, {})


def test_an_unknown_variable_is_refused_by_name() -> None:
    assert "WUNDER_SERVER_PROT" in refusal(None, {"WUNDER_SERVER_PROT": "1"})


def test_a_wrong_value_names_file_and_setting(tmp_path: Path) -> None:
    path = written(tmp_path, "[server]\nport = 'http'\n")
    said = refusal(path)
    assert str(path) in said
    assert "server.port" in said


def test_an_unknown_setting_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, "[server]\nprot = 1\n"))
    assert "server.prot" in said
    assert "port" in said


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    assert "absent.toml" in refusal(tmp_path / "absent.toml")
    assert "not TOML" in refusal(written(tmp_path, "[server\n"))


def test_what_the_store_needs_of_other_rooms_is_set_there_alone(tmp_path: Path) -> None:
    policy = load_config(
        None, {"WUNDER_RETRY_RETRIES": "3", "WUNDER_TURN_APOLOGY": "oh"}
    ).store_policy
    assert (policy.max_retries, policy.apology) == (3, "oh")
    assert "WUNDER_STORE_APOLOGY" in refusal(None, {"WUNDER_STORE_APOLOGY": "x"})
    assert "store.apology" in refusal(written(tmp_path, "[store]\napology = 'x'\n"))


def test_every_setting_has_a_variable_of_its_own() -> None:
    variables = [setting.variable for setting in settings()]
    assert len(variables) == len(set(variables))
