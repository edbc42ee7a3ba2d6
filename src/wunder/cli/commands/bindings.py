"""`wunder binding`: which conversations of an account go to which agent."""

from typing import Any

import typer

from wunder.cli.client import path_of
from wunder.cli.commands.messages import PEER_KINDS, split_account
from wunder.cli.failure import bad_usage
from wunder.cli.output import Column
from wunder.cli.session import new_group, session_of

app = new_group("Bindings: which conversations go to which agent.")
ROOT = "/wunder/admin/channels/bindings"
ANY = "*"


@app.command("list")
def list_bindings(context: typer.Context) -> None:
    """List the bindings."""
    session = session_of(context)
    with session.client() as client:
        found = client.whole(ROOT)
    if session.out.is_json:
        session.out.document(found)
        return
    columns: list[Column] = [
        ("BINDING", "binding_id"),
        ("ACCOUNT", lambda row: f"{row['channel']}/{row['account_id']}"),
        ("PEER", lambda row: f"{row['peer_kind']}:{row['peer_id']}"),
        ("AGENT", "agent_id"),
        ("PRIORITY", "priority"),
        ("ENABLED", "is_enabled"),
        ("EVENTS", "events"),
        ("OWNER", "owner_user_id"),
    ]
    session.out.table(
        found,
        columns,
        "There are no bindings: messages are kept as unrouted until `wunder binding add`.",
    )


@app.command("add")
def add(
    context: typer.Context,
    agent_id: str = typer.Argument(..., metavar="AGENT", help="Who answers."),
    account: str = typer.Option(
        "*/*", "--account", metavar="CHANNEL/ACCOUNT", help="* matches any."
    ),
    peer: str = typer.Option("*:*", "--peer", metavar="KIND:ID", help="* matches any."),
    priority: int = typer.Option(0, "--priority", help="Higher wins among equals."),
    events: bool = typer.Option(
        False, "--events", help="Answer events too, such as a user's joining."
    ),
    disabled: bool = typer.Option(False, "--disabled", help="Keep it without using it."),
) -> None:
    """Let an agent answer the conversations that match."""
    session = session_of(context)
    channel, account_id = split_account(account)
    kind, peer_id = _peer(peer)
    body = {
        "channel": channel,
        "account_id": account_id,
        "peer_kind": kind,
        "peer_id": peer_id,
        "agent_id": agent_id,
        "priority": priority,
        "is_enabled": not disabled,
        "events": events,
    }
    with session.client() as client:
        made = client.post(ROOT, body)
    if session.out.is_json:
        session.out.document(made)
    session.out.line(f"binding {made['binding_id']}: {account} {peer} -> {agent_id}")


@app.command("remove")
def remove(
    context: typer.Context, binding_id: str = typer.Argument(..., metavar="BINDING_ID")
) -> None:
    """Remove a binding."""
    session = session_of(context)
    with session.client() as client:
        client.delete(ROOT + path_of(binding_id))
    if session.out.is_json:
        session.out.document({"binding_id": binding_id, "removed": True})
    session.out.line(f"{binding_id} is removed.")


@app.command("test")
def test(
    context: typer.Context,
    account: str = typer.Argument(..., metavar="CHANNEL/ACCOUNT"),
    peer: str = typer.Argument(..., metavar="KIND:ID", help="user:ID, group:ID or channel:ID."),
) -> None:
    """Say which binding would serve a conversation now."""
    session = session_of(context)
    channel, account_id = split_account(account)
    kind, peer_id = _peer(peer)
    question = {"channel": channel, "account_id": account_id, "peer_kind": kind, "peer_id": peer_id}
    with session.client() as client:
        answer: dict[str, Any] = client.post(f"{ROOT}/test", question)
    if session.out.is_json:
        session.out.document(answer)
        return
    found = answer.get("binding")
    if found is None:
        session.out.line("no binding matches: the message would be kept as unrouted")
    else:
        session.out.line(f"binding {found['binding_id']} -> agent {found['agent_id']}")


def _peer(written: str) -> tuple[str, str]:
    kind, separator, peer_id = written.partition(":")
    if not separator or kind not in {*PEER_KINDS, ANY} or not peer_id:
        raise bad_usage("a peer is written as user:ID, group:ID, channel:ID or *:*")
    return kind, peer_id
