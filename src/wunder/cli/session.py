"""What every command starts with: where to speak, and how to show what came back."""

from typing import NamedTuple

import typer

from wunder.cli.client import Client
from wunder.cli.gateway import connect
from wunder.cli.global_options import GlobalOptions
from wunder.cli.output import Output


class Session(NamedTuple):
    """One run of the command line."""

    options: GlobalOptions
    out: Output

    def client(self) -> Client:
        """Return a client of the gateway; use it in a `with`. Raises: CommandFailed."""
        return connect(self.options)


def session_of(context: typer.Context) -> Session:
    """Return the session that a command runs in."""
    found: Session = context.obj
    return found


def new_group(summary: str) -> typer.Typer:
    """Return a group of commands: `wunder GROUP COMMAND`."""
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
