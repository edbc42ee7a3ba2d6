"""`wunder import`: fill the empty database that the settings name from what `wunder export` wrote."""

from pathlib import Path

import typer

from wunder.cli.gateway import loaded_config
from wunder.cli.session import session_of


def command(
    context: typer.Context,
    source: Path = typer.Argument(..., metavar="FILE", help="What `wunder export` wrote."),
) -> None:
    """Fill an empty PostgreSQL database, verify every row, and let the store live on there.

    All of it or nothing: after a failure simply run it again.
    """
    from wunder.cli.safekeeping import bring_in

    session = session_of(context)
    config = loaded_config(session.options)
    made = bring_in(config, source, session.out.note)
    if session.out.is_json:
        session.out.document(made)
    session.out.line(f"{made['path']}: {made['rows']} rows, {made['files']} files, verified.")
    if made["key"] == "absent":
        place = config.data_dir / "keys/master.key"
        session.out.line(
            f"Put the key of the old gateway at {place}, unless systemd hands it over."
        )
    session.out.line("Start a node: wunder serve.")
