"""Read a bot's JSON: half characters become "?", a missing or odd text is empty."""

import json
from typing import NoReturn

from wunder_sdk import MalformedEvent, loose_json
from wunder_sdk.loose_json import JsonObject


def read_object(document: bytes) -> JsonObject:
    """Return a JSON object; the SDK's would replace half characters by U+FFFD.

    Raises:
        MalformedEvent: Not UTF-8, not JSON, NaN, too deep, or no object.
    """
    try:
        found = json.loads(document.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise MalformedEvent("the content is not JSON") from None
    if not isinstance(found, dict):
        raise MalformedEvent("the content is not a JSON object")
    return found


def string(content: JsonObject, key: str) -> str:
    """Return a text or an integer as text, "" for anything else; half characters become "?"."""
    return loose_json.string(content, key).encode("utf-8", "replace").decode()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
