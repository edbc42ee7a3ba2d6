"""`wunder setup`: trade the first-run token for an API token, once."""

import json
from pathlib import Path

import typer

from wunder.cli.client import Client
from wunder.cli.commands.tokens import hand_over
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.gateway import data_dir, named_transport, running_gateway
from wunder.cli.global_options import GlobalOptions
from wunder.cli.session import session_of

PATH = "/wunder/admin/setup"
#: Where a gateway without tokens leaves the first-run token (security rule 16).
SETUP_FILE = Path("run", "setup-token")


def command(
    context: typer.Context,
    name: str = typer.Option("first administrator", "--name", help="Who the API token is for."),
    to: Path | None = typer.Option(
        None, "--to", metavar="FILE", help="Write it to a new file of mode 0600."
    ),
    setup_file: Path | None = typer.Option(
        None, "--setup-file", metavar="FILE", help="Default: in the data dir."
    ),
) -> None:
    """Trade the first-run token, which the gateway left in a file, for an API token."""
    session = session_of(context)
    if to is not None and to.exists():
        raise bad_usage("this file exists already", where=str(to))
    place = setup_file or data_dir(session.options) / SETUP_FILE
    body = {"token": _first_run_token(place), "name": name}
    with _client(session.options) as client:
        made = client.post(PATH, body)
    hand_over(session.out, made, to)


def _client(options: GlobalOptions) -> Client:
    if options.url:
        return Client(named_transport(options.url), "", options.lang)
    running = running_gateway(options)
    if running is None:
        raise CommandFailed("no gateway runs here", advice=("start it first: wunder serve",))
    return running


def _first_run_token(path: Path) -> str:
    try:
        written = json.loads(path.read_text("utf-8"))
        return str(written["token"])
    except FileNotFoundError:
        raise CommandFailed(
            "there is no first-run token",
            where=str(path),
            advice=(
                "it was used, or tokens exist: `wunder token create` makes one on this machine",
                "else start the gateway: it writes one where no token was ever made",
            ),
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise bad_usage("this file holds no first-run token", where=str(path)) from error
