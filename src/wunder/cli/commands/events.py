"""`wunder events`: what happened to the gateway's parts; with --follow, what happens now."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import typer

from wunder.cli import moments
from wunder.cli.client import Client, path_of
from wunder.cli.commands.messages import split_account
from wunder.cli.failure import bad_usage
from wunder.cli.output import Column, when
from wunder.cli.session import session_of

ROOT = "/wunder/admin/channels/events"
ACCOUNTS = "/wunder/admin/channels/accounts"
LEVELS = ("info", "warning", "error")
#: How far back is looked for what is wanted.
_LOOK_BACK = 10_000
_LOOK_EVERY_S = 1.0


def command(
    context: typer.Context,
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on with what happens from now."),
    plugin: str = typer.Option("", "--plugin", metavar="ID", help="Of one plugin or channel."),
    account: str = typer.Option("", "--account", metavar="CHANNEL/ACCOUNT", help="Of one account."),
    level: str = typer.Option("info", "--level", help="At least: info, warning or error."),
    since: str = typer.Option("", "--since", metavar="WHEN", help=f"Since: {moments.HELP}"),
    limit: int = typer.Option(20, "--limit", min=1, max=1_000),
) -> None:
    """Show what happened, the latest last; --follow goes on until Ctrl-C."""
    session = session_of(context)
    if level not in LEVELS:
        raise bad_usage(f"no level {level}", f"there are {', '.join(LEVELS)}")
    least, begins_at = LEVELS.index(level), moments.moment(since) or 0

    def is_wanted(event: Any) -> bool:
        return LEVELS.index(event["level"]) >= least and event["at"] >= begins_at

    with session.client() as client:
        query = {"plugin_id": plugin, "account_uid": _account_uid(client, account)}
        found = newest(client, query, is_wanted, limit)[::-1]
        if session.out.is_json and not follow:
            session.out.document(found)
            return
        if follow:
            last = max((one["event_id"] for one in found), default=0)
            _show_each(session.out, found)
            for event in _coming(client, query, last):
                if is_wanted(event):
                    _show_each(session.out, [event])
            return
    columns: list[Column] = [
        ("WHEN", lambda row: when(row["at"])),
        ("LEVEL", "level"),
        ("EVENT", "name"),
        ("ACCOUNT", lambda row: row["account_id"]),
        ("PLUGIN", lambda row: f"{row['plugin_id']} {row['version']}".strip()),
        ("DETAIL", _detail),
    ]
    session.out.table(found, columns, "Nothing happened.")


def newest(
    client: Client, query: dict[str, str], is_wanted: Callable[[Any], bool], limit: int
) -> list[Any]:
    """Return the newest events that are wanted, newest first."""
    looked_at = client.items(ROOT, query, _LOOK_BACK)
    return list(itertools.islice(filter(is_wanted, looked_at), limit))


def _account_uid(client: Client, account: str) -> str:
    if not account:
        return ""
    found = client.get(ACCOUNTS + path_of(*split_account(account)))
    return str(found["account_uid"])


def _coming(client: Client, query: dict[str, str], last: int) -> Iterator[Any]:
    """What is newer than the event `last`, oldest first, for ever."""
    while True:
        fresh = []
        for event in client.items(ROOT, query):
            if event["event_id"] <= last:
                break
            fresh.append(event)
        for event in reversed(fresh):
            last = event["event_id"]
            yield event
        time.sleep(_LOOK_EVERY_S)


def _show_each(out: Any, events: list[Any]) -> None:
    for event in events:
        if out.is_json:
            out.document_line(event)
            continue
        whose = " ".join(filter(None, (event["plugin_id"], event["account_id"])))
        words = f"{when(event['at'])}  {event['level']:<7}  {event['name']}  {whose}"
        out.line(f"{words}  {_detail(event)}".rstrip())


def _detail(event: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in (event["fields"] or {}).items())
