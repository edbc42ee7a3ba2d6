"""Whether a configuration that somebody writes holds secrets: then the scope `secrets` is asked for."""

from typing import Any

from wunder.accounts.schema import Nodes, SchemaView, is_secret
from wunder.accounts.secrets import SET


def writes_secrets(schema: dict[str, Any] | None, config: object) -> bool:
    """Tell whether any secret of `config` would be written or cleared.

    Args:
        schema: of the configuration; None: the whole of it is secret.
        config: as it was sent; anything but an object writes nothing.
    """
    if not isinstance(config, dict):
        return False
    view = SchemaView(schema)
    return _writes(view, view.at_root(), config)


def _writes(view: SchemaView, nodes: Nodes, value: object) -> bool:
    if is_secret(nodes):
        return value != SET  # which keeps what is stored; null clears it
    if isinstance(value, dict):
        return any(_writes(view, view.below(nodes, name), part) for name, part in value.items())
    if isinstance(value, list):
        return any(_writes(view, view.below(nodes, at), part) for at, part in enumerate(value))
    return False
