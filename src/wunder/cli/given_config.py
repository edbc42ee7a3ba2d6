"""Configuration that a command is given: from a file, from stdin or by asking; never as an argument."""

import json
import stat
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wunder.cli.failure import bad_usage
from wunder.cli.output import Output

#: A configuration is a form; more is a mistake.
MAX_BYTES = 1_048_576


def read_config(source: str, out: Output) -> dict[str, Any]:
    """Return the object in a JSON or TOML file, or on stdin for `-`.

    Raises: CommandFailed, saying where it is wrong and never what it holds.
    """
    text, where = _read(source, out)
    try:
        found = tomllib.loads(text) if source.endswith(".toml") else json.loads(text)
    except json.JSONDecodeError as error:
        words = f"the configuration is not JSON: line {error.lineno}, column {error.colno}"
        raise bad_usage(words, where=where) from None
    except (tomllib.TOMLDecodeError, RecursionError):
        raise bad_usage("the configuration is not TOML or too deep", where=where) from None
    if not isinstance(found, dict):
        raise bad_usage('the configuration is no object: {"field": "value", ..}', where=where)
    return found


def ask_config(schema: Mapping[str, Any] | None, lang: str, out: Output) -> dict[str, Any]:
    """Ask a person for each plain field of an account schema; secrets are not shown.

    Raises: CommandFailed, where nobody can be asked or there is no schema to ask from.
    """
    if schema is None:
        raise bad_usage(
            "this channel has no form", "give a file with --config-file, or - for stdin"
        )
    required = set(schema.get("required", ()))
    config: dict[str, Any] = {}
    for name, field in _fields(schema):
        is_required = name in required
        if field.get("x-advanced") and not is_required:
            continue
        value = _ask_field(name, field, lang, out)
        while value is None and is_required:
            out.note(f"{name} is required.")
            value = _ask_field(name, field, lang, out)
        if value is not None:
            config[name] = value
    return config


def _read(source: str, out: Output) -> tuple[str, str]:
    if source == "-":
        return sys.stdin.read(MAX_BYTES), "stdin"
    path = Path(source)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o044:
            out.note(
                f"{path} can be read by others on this machine: chmod 600 it, or delete it after."
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise bad_usage(f"the configuration cannot be read: {words}", where=str(path)) from error


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    properties = schema.get("properties", {})
    ordered = [name for name in schema.get("x-order", ()) if name in properties]
    for name in [*ordered, *(name for name in properties if name not in ordered)]:
        yield name, properties[name]


def _ask_field(name: str, field: Mapping[str, Any], lang: str, out: Output) -> Any:
    """Return what was typed as the field's type, None for an empty line."""
    words = {**field, **field.get("x-i18n", {}).get(lang, {})}
    choices = field.get("enum")
    hint = f" [{', '.join(map(str, choices))}]" if choices else ""
    default = f" (default {field['default']})" if "default" in field else ""
    question = f"{words.get('title', name)}{hint}{default}:"
    ask = out.ask_secret if field.get("writeOnly") else out.ask
    typed = ask(question, "--config-file FILE (- for stdin)")
    if not typed:
        return None
    return _as_type(typed, field.get("type"))


def _as_type(typed: str, kind: object) -> Any:
    """Read a typed line as JSON where the field is no text; the gateway judges the rest."""
    if kind in (None, "string"):
        return typed
    try:
        return json.loads(typed)
    except ValueError:
        return typed
