"""`wunder pairing`: let strangers in by the code they were given, or keep them out."""

from typing import Any, get_args

import typer

from wunder.cli.choices import one_of
from wunder.cli.client import path_of
from wunder.cli.commands.messages import split_account
from wunder.cli.output import Column, when
from wunder.cli.session import new_group, session_of
from wunder.upkeep.pairing import PairingState

app = new_group("Strangers with a code: let them in, or keep them out.")
ROOT = "/wunder/admin/channels/pairings"
CODE = typer.Argument(..., metavar="CODE", help="The code, or the id from the list.")


@app.command("list")
def list_pairings(
    context: typer.Context,
    state: str = typer.Option(
        "pending", "--state", help="pending, approved, rejected; all for every one."
    ),
    account: str = typer.Option("", "--account", metavar="CHANNEL/ACCOUNT"),
    limit: int = typer.Option(20, "--limit", min=1, max=1_000),
) -> None:
    """List who asks to be let in, newest first."""
    session = session_of(context)
    channel, account_id = split_account(account) if account else ("", "")
    wanted = "" if state == "all" else one_of("--state", state, [*get_args(PairingState), "all"])
    query = {"state": wanted, "channel": channel, "account_id": account_id}
    with session.client() as client:
        found = list(client.items(ROOT, query, limit))
    if session.out.is_json:
        session.out.document(found)
        return
    columns: list[Column] = [
        ("CODE", "code"),
        ("WHO", _who),
        ("ACCOUNT", lambda row: f"{row['channel']}/{row['account_id']}"),
        ("ASKED", lambda row: when(row["created_at"])),
        ("STATE", "state"),
        ("UNTIL", lambda row: when(row["expires_at"]) if row["state"] == "pending" else ""),
        ("BY", "decided_by"),
        ("ID", "pairing_id"),
    ]
    empty = "Nobody asks to be let in." if state == "pending" else "No such pairings."
    session.out.table(found, columns, empty)


@app.command("approve")
def approve(context: typer.Context, code: str = CODE) -> None:
    """Let the person behind a code talk to the account."""
    decided = _decide(context, code, "approve")
    answered = "; what they said is answered now" if decided["answered"] else ""
    session_of(context).out.line(f"{_who(decided['pairing'])} may talk from now on{answered}.")


@app.command("reject")
def reject(context: typer.Context, code: str = CODE) -> None:
    """Answer this person no more; also ends an approval."""
    decided = _decide(context, code, "reject")
    session_of(context).out.line(f"{_who(decided['pairing'])} is not answered; they are not told.")


@app.command("forget")
def forget(context: typer.Context, code: str = CODE) -> None:
    """Make a person a stranger again, who is given a code."""
    session = session_of(context)
    with session.client() as client:
        client.delete(ROOT + path_of(code))
    if session.out.is_json:
        session.out.document({"forgotten": code})
    session.out.line("Forgotten: they are a stranger again.")


def _decide(context: typer.Context, code: str, what: str) -> Any:
    session = session_of(context)
    with session.client() as client:
        decided = client.post(ROOT + path_of(code, what))
    if session.out.is_json:
        session.out.document(decided)
    return decided


def _who(pairing: Any) -> str:
    name, peer_id = str(pairing["peer_name"]), str(pairing["peer_id"])
    return f"{name} ({peer_id})" if name and name != peer_id else peer_id
