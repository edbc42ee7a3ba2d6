"""`wunder backup`: a consistent copy of the store, made while the gateway serves."""

from pathlib import Path

import typer

from wunder.cli.gateway import data_dir
from wunder.cli.output import size
from wunder.cli.session import session_of

#: What belongs to a store and is not in it.
_BESIDE = ("keys", "channel_plugins")


def command(
    context: typer.Context,
    target: Path = typer.Argument(
        ..., metavar="FILE", help="A new file; its manifest goes beside it."
    ),
) -> None:
    """Write a copy of the store, as it is at one instant, while the gateway serves."""
    from wunder.cli.safekeeping import copy_store

    session = session_of(context)
    place = data_dir(session.options)
    with session.out.progress("copying the store"):
        made = copy_store(place, target)
    if session.out.is_json:
        session.out.document(made)
    session.out.line(f"{made['path']}  {size(made['size_bytes'])}  sha256 {made['sha256']}")
    beside = " and ".join(str(place / name) for name in _BESIDE)
    session.out.line(f"Keep {beside} apart from it: without the key no secret in it can be read.")
