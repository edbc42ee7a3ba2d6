"""`wunder restore`: put a backup in the place of a missing store; what waited is held."""

from pathlib import Path

import typer

from wunder.cli.failure import CommandFailed
from wunder.cli.gateway import loaded_config
from wunder.cli.output import when
from wunder.cli.session import session_of


def command(
    context: typer.Context,
    backup: Path = typer.Argument(..., metavar="FILE", help="What `wunder backup` wrote."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Put a backup in the place of a missing store, or into the empty database that is named.

    API tokens end; deliveries are held.
    """
    from wunder.cli.safekeeping import put_back

    session = session_of(context)
    config = loaded_config(session.options)
    question = f"Restore {backup}? Every API token and session ends."
    if not yes and not session.out.confirm(question, "--yes"):
        raise CommandFailed("nothing was restored")
    made = put_back(config, backup, session.out.note)
    if session.out.is_json:
        session.out.document(made)
    session.out.line(f"{made['path']} is the store of {when(made['at'])}.")
    for name in made["missing"]:
        session.out.line(f"was not in the backup: {name}")
    if made["key"] == "absent":
        place = config.data_dir / "keys/master.key"
        session.out.line(
            f"Put the key that belongs to it at {place}, unless systemd hands it over."
        )
    session.out.line("What waited then is held: look at `wunder outbox list --state held`, then")
    session.out.line(
        "let it go with `wunder outbox release`. Make new tokens: wunder token create."
    )
