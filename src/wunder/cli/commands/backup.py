"""`wunder backup`: a consistent copy of the store, made while the gateway serves."""

from pathlib import Path

import typer

from wunder.accounts.keyring import CREDENTIAL, KEY_FILE
from wunder.cli.gateway import loaded_config
from wunder.cli.output import size
from wunder.cli.session import session_of


def command(
    context: typer.Context,
    target: Path = typer.Argument(
        ..., metavar="FILE", help="A new file; its manifest goes beside it."
    ),
    no_files: bool = typer.Option(
        False, "--no-files", help="Leave out attachments and plugin packages (SQLite)."
    ),
) -> None:
    """Write a copy of the store, as it is at one instant, while the gateway serves.

    With attachments and plugin packages. What is not in it: the key, and plugins' own data.
    """
    from wunder.cli.safekeeping import copy_store

    session = session_of(context)
    config = loaded_config(session.options)
    made = copy_store(config, target, session.out.note, with_files=not no_files)
    if session.out.is_json:
        session.out.document(made)
    session.out.line(f"{made['path']}  {size(made['size_bytes'])}  sha256 {made['sha256']}")
    if made["files_sha256"]:
        files = f"{made['path']}.files.tar  {size(made['files_bytes'])}"
        session.out.line(f"{files}  {made['files']} attachments and packages")
    for name in made["missing"]:
        session.out.line(f"not there, so not in it: {name}")
    session.out.line(
        f"Keep {_key_of(config.data_dir)} apart from it: without the key no secret in it can be read."
    )
    session.out.line("Not in it: the plugins' own data, channel_plugins/<id>/data on each node.")


def _key_of(data_dir: Path) -> str:
    """Where the key is kept: beside the store, or wherever systemd or compose take it from."""
    place = data_dir / KEY_FILE
    return str(place) if place.exists() else f"the key (credential {CREDENTIAL})"
