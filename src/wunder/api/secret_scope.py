"""Whether a configuration that somebody writes holds secrets: then the scope `secrets` is asked for."""

from typing import Any

from wunder.accounts.secrets import SET, split


def writes_secrets(schema: dict[str, Any] | None, config: object) -> bool:
    """Tell whether any secret of `config` would be written or cleared.

    Args:
        schema: of the configuration; None: the whole of it is secret.
        config: as it was sent; anything but an object writes nothing.
    """
    if not isinstance(config, dict):
        return False
    _, secrets = split(schema, config)
    return _is_written(secrets)


def _is_written(secrets: object) -> bool:
    """`{"set": true}` keeps what is stored; null in a list stands for an item without a secret."""
    if isinstance(secrets, dict):
        return secrets != SET and any(_is_written(part) for part in secrets.values())
    if isinstance(secrets, list):
        return any(part is not None and _is_written(part) for part in secrets)
    return True
