"""`wunder quarantine`: what arrived and could not become a message: look, try again, drop."""

import typer

from wunder.cli.client import path_of
from wunder.cli.commands.messages import split_account
from wunder.cli.failure import CommandFailed
from wunder.cli.output import Column, size, when
from wunder.cli.session import new_group, session_of

app = new_group("What arrived and could not become a message: look, try again, drop.")
ROOT = "/wunder/admin/channels/quarantine"


@app.command("list")
def list_quarantine(
    context: typer.Context,
    account: str = typer.Option("", "--account", metavar="CHANNEL/ACCOUNT"),
    reason: str = typer.Option("", "--reason", help="Such as dedupe_collision, spool_expired."),
    limit: int = typer.Option(20, "--limit", min=1, max=1_000),
) -> None:
    """List what was set aside, newest first."""
    session = session_of(context)
    channel, account_id = split_account(account) if account else ("", "")
    query = {"channel": channel, "account_id": account_id, "reason": reason}
    with session.client() as client:
        found = list(client.items(ROOT, query, limit))
    columns: list[Column] = [
        ("ITEM", "quarantine_id"),
        ("ARRIVED", lambda row: when(row["received_at"])),
        ("ACCOUNT", lambda row: f"{row['channel']}/{row['account_id']}"),
        ("REASON", "reason"),
        ("DETAIL", "detail"),
        ("SIZE", lambda row: size(row["size_bytes"])),
    ]
    session.out.listing(found, columns, "Nothing was set aside.")


@app.command("show")
def show(context: typer.Context, item: str) -> None:
    """Show what was set aside, with what it holds."""
    session = session_of(context)
    with session.client() as client:
        shown = client.get(ROOT + path_of(item))
    if session.out.is_json:
        session.out.document(shown)
        return
    session.out.facts(
        (name.replace("_", " "), when(value) if name.endswith("_at") else value)
        for name, value in {**shown["item"], "can_retry": shown["can_retry"]}.items()
    )
    session.out.line("")
    session.out.line(shown["body"])


@app.command("retry")
def retry(
    context: typer.Context, items: list[str] = typer.Argument(..., metavar="ITEM...")
) -> None:
    """Parse a request again, or store a refused message."""
    session = session_of(context)
    with session.client() as client:
        done = [client.post(ROOT + path_of(item, "retry")) for item in items]
    if session.out.is_json:
        session.out.document(done)
    session.out.line(f"{len(done)} tried again.")


@app.command("drop")
def drop(
    context: typer.Context,
    items: list[str] = typer.Argument(..., metavar="ITEM..."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Forget items for good."""
    session = session_of(context)
    if not yes and not session.out.confirm(f"Drop {len(items)} for good?", "--yes"):
        raise CommandFailed("nothing was dropped")
    with session.client() as client:
        for item in items:
            client.delete(ROOT + path_of(item))
    if session.out.is_json:
        session.out.document({"dropped": items})
    session.out.line(f"{len(items)} dropped.")
