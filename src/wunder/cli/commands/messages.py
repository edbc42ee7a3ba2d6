"""`wunder message`: send one first, find messages, route one again."""

import secrets
import sys
from pathlib import Path

import typer

from wunder.cli.choices import one_of
from wunder.cli.client import path_of
from wunder.cli.failure import bad_usage
from wunder.cli.output import Column, when
from wunder.cli.session import new_group, session_of
from wunder.model.message import MessageState

app = new_group("Messages: send one first, find them, route one again.")
ROOT = "/wunder/admin/channels/messages"
PEER_KINDS = ("user", "group", "channel")


@app.command("send")
def send(
    context: typer.Context,
    account: str = typer.Argument(..., metavar="CHANNEL/ACCOUNT", help="Which account sends."),
    peer: str = typer.Argument(
        ..., metavar="KIND:ID", help="To whom: user:ID, group:ID, channel:ID."
    ),
    text: str | None = typer.Argument(None, help="The text; `-` or nothing reads stdin."),
    thread: str = typer.Option("", "--thread", help="A thread inside the peer."),
    markdown: bool = typer.Option(False, "--markdown", help="The text is markdown."),
    ttl_s: int = typer.Option(
        0, "--ttl", metavar="SECONDS", help="Give up after; default: the account's."
    ),
    key: str = typer.Option("", "--key", help="Idempotency key: the same key never sends twice."),
    text_file: Path | None = typer.Option(None, "--text-file", help="Read the text from a file."),
) -> None:
    """Send a message first. It takes the same lane, pace and trail as answers."""
    session = session_of(context)
    channel, account_id = split_account(account)
    kind, separator, peer_id = peer.partition(":")
    if not separator or kind not in PEER_KINDS or not peer_id:
        raise bad_usage("the peer is written as user:ID, group:ID or channel:ID")
    body = {
        "channel": channel,
        "account_id": account_id,
        "peer": {"kind": kind, "id": peer_id},
        "text": given_text(text, text_file),
        "format": "markdown" if markdown else "plain",
        "ttl_s": ttl_s,
    }
    if thread:
        body["thread"] = {"id": thread}
    used_key = key or secrets.token_hex(16)
    with session.client() as client:
        queued = client.post(ROOT, body, headers={"idempotency-key": used_key})
    if session.out.is_json:
        session.out.document(queued)
    again = "" if queued["is_new"] else " (this key was used before: nothing new was queued)"
    session.out.line(f"queued as delivery {queued['delivery_id']}{again}")
    session.out.line(f"follow it: wunder outbox show {queued['delivery_id']}")


@app.command("list")
def list_messages(
    context: typer.Context,
    text: str = typer.Option("", "--text", help="Part of a text, a name or an id."),
    account: str = typer.Option("", "--account", metavar="CHANNEL/ACCOUNT"),
    peer_id: str = typer.Option("", "--peer", metavar="ID"),
    state: str = typer.Option("", "--state", help="received, answering, answered, failed, .."),
    limit: int = typer.Option(20, "--limit", min=1, max=1_000),
) -> None:
    """Find messages, newest first."""
    session = session_of(context)
    channel, account_id = split_account(account) if account else ("", "")
    query = {
        "text": text,
        "channel": channel,
        "account_id": account_id,
        "peer_id": peer_id,
        "state": one_of("--state", state, MessageState),
    }
    with session.client() as client:
        found = list(client.items(ROOT, query, limit))
    columns: list[Column] = [
        ("WHEN", lambda message: when(message["created_at"])),
        ("MESSAGE", "message_id"),
        ("DIR", "direction"),
        ("ACCOUNT", lambda message: f"{message['channel']}/{message['account_id']}"),
        ("PEER", lambda message: f"{message['peer_kind']}:{message['peer_id']}"),
        ("STATE", "state"),
        ("TEXT", lambda message: _excerpt(message["text"])),
    ]
    session.out.listing(found, columns, "No such messages.")


@app.command("reroute")
def reroute(context: typer.Context, message_id: str) -> None:
    """Route an unrouted or failed message again."""
    session = session_of(context)
    with session.client() as client:
        moved = client.post(ROOT + path_of(message_id, "reroute"))
    if session.out.is_json:
        session.out.document(moved)
    session.out.line(f"{message_id} goes to the tail of its conversation.")


def split_account(written: str) -> tuple[str, str]:
    """Return channel and account id of `CHANNEL/ACCOUNT`. Raises: CommandFailed."""
    channel, separator, account_id = written.partition("/")
    if not separator or not channel or not account_id or "/" in account_id:
        raise bad_usage(
            "an account is written as CHANNEL/ACCOUNT", "list them: wunder account list"
        )
    return channel, account_id


def given_text(given: str | None, path: Path | None) -> str:
    """Return the text of a command line: of a file, of stdin where `-` or nothing is given, or itself."""
    if path is not None:
        return path.read_text("utf-8")
    return sys.stdin.read() if given in (None, "-") else str(given)


def _excerpt(text: object) -> str:
    shown = str(text or "")
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
