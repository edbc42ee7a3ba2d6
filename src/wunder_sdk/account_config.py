"""An account's config and secrets as one typed value."""

import dataclasses
from typing import Any

from wunder_sdk.errors import AccountConfigInvalid
from wunder_wire.codec import DecodeError, from_json


class ConfigMismatch(AccountConfigInvalid):
    """The account's configuration does not fit the channel's config class."""

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(f"{pointer}: {problem}")
        self.pointer = pointer
        self.problem = problem


def merge(config: Any, secrets: Any) -> Any:
    """Lay `secrets` over `config`: objects merge, arrays of the same length merge item by item."""
    if isinstance(config, dict) and isinstance(secrets, dict):
        merged = dict(config)
        for key, value in secrets.items():
            merged[key] = merge(config[key], value) if key in config else value
        return merged
    if isinstance(config, list) and isinstance(secrets, list) and len(config) == len(secrets):
        return [merge(*pair) for pair in zip(config, secrets, strict=True)]
    return config if secrets is None else secrets


def build(shape: type[Any], config: dict[str, Any], secrets: dict[str, Any]) -> Any:
    """Return config and secrets as an instance of the channel's config class.

    Raises:
        ConfigMismatch: Names the field, never its value.
    """
    document = merge(config, secrets)
    if not dataclasses.is_dataclass(shape):
        return document
    try:
        return from_json(shape, document)
    except DecodeError as error:
        raise ConfigMismatch(error.pointer or "/", error.problem) from None
    except ValueError as error:  # the class' own __post_init__; its text is the author's
        raise ConfigMismatch("/", str(error)) from error
