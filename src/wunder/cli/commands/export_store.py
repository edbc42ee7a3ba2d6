"""`wunder export`: leave SQLite, with everything in one file, and never serve the old store by mistake."""

from pathlib import Path

import typer

from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.gateway import loaded_config
from wunder.cli.session import session_of


def command(
    context: typer.Context,
    target: Path | None = typer.Argument(None, metavar="FILE", help="A new file for everything."),
    undo: bool = typer.Option(False, "--undo", help="Let the store serve again instead."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Write the whole store of SQLite into a file for `wunder import`, and mark it as moved.

    The gateway must be stopped. From then on none starts on this data directory.
    """
    from wunder.cli.safekeeping import send_away, take_back

    session = session_of(context)
    config = loaded_config(session.options)
    if undo:
        moved = take_back(config)
        if session.out.is_json:
            session.out.document({"moved_to": moved})
        words = f"may serve again. Do not serve {moved} too." if moved else "was not moved."
        session.out.line(f"The store in {config.data_dir} {words}")
        return
    if target is None:
        raise bad_usage("name a file to export to", "or --undo")
    question = f"Move the store of {config.data_dir} into {target}? No gateway starts on it then."
    if not yes and not session.out.confirm(question, "--yes"):
        raise CommandFailed("nothing was exported")
    made = send_away(config, target, session.out.note)
    if session.out.is_json:
        session.out.document(made)
    for name in made["missing"]:
        session.out.line(f"not there, so not in it: {name}")
    session.out.line(f"{made['path']}: {made['rows']} rows, {made['files']} files, verified.")
    session.out.line(
        "Next, with the new settings: put keys/master.key into each node's data directory, then"
    )
    session.out.line(f"wunder import {made['path']}. To go back: wunder export --undo.")
