"""`wunder token`: API tokens; a new one goes into a file or to a terminal, once."""

import os
from pathlib import Path
from typing import Any

import typer

from wunder.cli.client import path_of
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.output import Column, Output, when
from wunder.cli.session import new_group, session_of
from wunder.model.token import SCOPES

app = new_group("API tokens.")
ROOT = "/wunder/admin/tokens"
DAY_S = 86_400


@app.command("create")
def create(
    context: typer.Context,
    name: str = typer.Argument(..., metavar="NAME", help="Who or what uses it."),
    scope: list[str] = typer.Option(
        ["admin"], "--scope", help=f"Again for each: {', '.join(SCOPES)}."
    ),
    days: int | None = typer.Option(
        None, "--days", min=1, help="Days it lives; default: until it is revoked."
    ),
    to: Path | None = typer.Option(
        None, "--to", metavar="FILE", help="Write it to a new file of mode 0600."
    ),
) -> None:
    """Make a token; it is shown once."""
    session = session_of(context)
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        raise bad_usage(
            f"there is no scope {', '.join(unknown)}", f"there are: {', '.join(SCOPES)}"
        )
    if to is not None and to.exists():
        raise bad_usage("this file exists already", where=str(to))
    body = {"name": name, "scopes": scope, "ttl_s": None if days is None else days * DAY_S}
    with session.client() as client:
        made = client.post(ROOT, body)
    hand_over(session.out, made, to)


@app.command("list")
def list_tokens(context: typer.Context) -> None:
    """List the tokens; none of them can be read again."""
    session = session_of(context)
    with session.client() as client:
        found = client.whole(ROOT)
    columns: list[Column] = [
        ("TOKEN ID", "token_id"),
        ("NAME", "name"),
        ("SCOPES", "scopes"),
        ("MADE", lambda row: when(row["created_at"])),
        ("BY", "created_by"),
        ("ENDS", lambda row: when(row["expires_at"]) or "never"),
        ("REVOKED", lambda row: when(row["revoked_at"])),
    ]
    session.out.listing(found, columns, "There are no tokens.")


@app.command("revoke")
def revoke(context: typer.Context, token_id: str = typer.Argument(..., metavar="TOKEN_ID")) -> None:
    """End a token at once."""
    session = session_of(context)
    with session.client() as client:
        client.delete(ROOT + path_of(token_id))
    if session.out.is_json:
        session.out.document({"token_id": token_id, "revoked": True})
    session.out.line(f"{token_id} is revoked.")


def hand_over(out: Output, made: Any, to: Path | None) -> None:
    """Write a new token to a file of its own, or print it: this is the only time.

    Raises: CommandFailed, when the file cannot be made.
    """
    if to is None:
        if out.is_json:
            out.document(made)
            return
        out.note("This token is shown once; keep it in a file of mode 0600:")
        out.line(made["token"])
        return
    try:
        fd = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(f"{made['token']}\n")
    except OSError as error:
        words = f"the token was made and cannot be written: {error.strerror}"
        raise CommandFailed(
            words, where=str(to), advice=("revoke it: wunder token list",)
        ) from error
    if out.is_json:
        out.document(
            {**{key: value for key, value in made.items() if key != "token"}, "path": str(to)}
        )
    out.line(f"the token is in {to}, readable by you only")
