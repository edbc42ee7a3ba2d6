"""`wunder restore`: put a backup in the place of a missing store; what waited is held."""

from pathlib import Path

import typer

from wunder.cli.failure import CommandFailed
from wunder.cli.gateway import data_dir
from wunder.cli.output import when
from wunder.cli.session import session_of


def command(
    context: typer.Context,
    backup: Path = typer.Argument(..., metavar="FILE", help="What `wunder backup` wrote."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Put a backup in the place of a missing store. API tokens end; deliveries are held."""
    from wunder.cli.safekeeping import put_back

    session = session_of(context)
    place = data_dir(session.options)
    question = f"Restore {backup} into {place}? Every API token ends."
    if not yes and not session.out.confirm(question, "--yes"):
        raise CommandFailed("nothing was restored")
    with session.out.progress("putting the store back"):
        made = put_back(backup, place)
    if session.out.is_json:
        session.out.document(made)
    session.out.line(f"{made['path']} is the store of {when(made['at'])}.")
    session.out.line("What waited then is held: look at `wunder outbox list --state held`, then")
    session.out.line(
        "let it go with `wunder outbox release`. Make new tokens: wunder token create."
    )
