"""Strikes an account's secrets out of what a channel says about its calls (pure)."""

from collections.abc import Iterator
from typing import Any

#: A shorter secret would be struck out of words that merely look like it.
_MIN_CHARS = 4
_STRUCK = "***"


def struck(said: Any, secrets: Any) -> Any:
    """Return a text, or an object, array or value of JSON, with every secret struck out."""
    # The longest first: a secret may hold another.
    texts = sorted((one for one in _texts(secrets) if len(one) >= _MIN_CHARS), key=len)[::-1]
    return _without(said, texts) if texts else said


def _texts(secrets: Any) -> Iterator[str]:
    if isinstance(secrets, str):
        yield secrets
    elif isinstance(secrets, dict | list):
        for part in secrets.values() if isinstance(secrets, dict) else secrets:
            yield from _texts(part)


def _without(said: Any, texts: list[str]) -> Any:
    if isinstance(said, str):
        for text in texts:
            said = said.replace(text, _STRUCK)
        return said
    if isinstance(said, dict):
        return {_without(key, texts): _without(part, texts) for key, part in said.items()}
    return [_without(part, texts) for part in said] if isinstance(said, list) else said
