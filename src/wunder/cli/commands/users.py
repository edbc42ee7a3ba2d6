"""`wunder user`: people who sign in to the console; passwords come from a prompt or a file."""

import sys
from pathlib import Path
from typing import Any

import typer

from wunder.cli.client import Client, path_of
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.output import Column, Output, when
from wunder.cli.session import new_group, session_of
from wunder.people.person import ROLES

app = new_group("People who sign in to the console.")
ROOT = "/wunder/admin/users"
MAX_PASSWORD_BYTES = 1_024
_FILE_HELP = "Read the password from a file, - for stdin; without it you are asked."
_NAME = typer.Argument(..., metavar="NAME", help="The sign-in name.")


@app.command("create")
def create(
    context: typer.Context,
    name: str = _NAME,
    role: str = typer.Option("user", "--role", help=f"One of {', '.join(ROLES)}."),
    display_name: str = typer.Option("", "--display-name", help="The name shown to people."),
    password_file: str = typer.Option("", "--password-file", metavar="FILE", help=_FILE_HELP),
    no_password: bool = typer.Option(
        False, "--no-password", help="For somebody who signs in elsewhere (OIDC)."
    ),
) -> None:
    """Make a user with a role and a password."""
    session = session_of(context)
    _refuse_role(role)
    password = None if no_password else _password(password_file, session.out)
    body = {"name": name, "role": role, "display_name": display_name, "password": password}
    with session.client() as client:
        made = client.post(ROOT, body)
    if session.out.is_json:
        session.out.document(made)
    session.out.line(f"{made['name']} may sign in as {made['role']}.")


@app.command("list")
def list_users(context: typer.Context) -> None:
    """List the users."""
    session = session_of(context)
    with session.client() as client:
        found = client.whole(ROOT)
    columns: list[Column] = [
        ("NAME", "name"),
        ("ROLE", "role"),
        ("SHOWN AS", "display_name"),
        ("SIGNS IN WITH", _signs_in_with),
        ("STATE", lambda row: "locked" if row["is_disabled"] else "active"),
        ("MADE", lambda row: when(row["created_at"])),
        ("BY", "created_by"),
    ]
    session.out.listing(found, columns, "There are no users: wunder user create NAME --role admin")


@app.command("password")
def password(
    context: typer.Context,
    name: str = _NAME,
    password_file: str = typer.Option("", "--password-file", metavar="FILE", help=_FILE_HELP),
) -> None:
    """Set a user's password; their sessions end."""
    session = session_of(context)
    given = _password(password_file, session.out)
    with session.client() as client:
        user = _named(client, name)
        said = client.put(f"{ROOT}{path_of(user['user_id'])}/password", {"password": given})
    _say(session.out, said, f"{user['name']} has a new password; {said['ended']} sessions ended.")


@app.command("role")
def role(
    context: typer.Context,
    name: str = _NAME,
    role: str = typer.Argument(..., metavar="ROLE", help=f"One of {', '.join(ROLES)}."),
) -> None:
    """Give a user another role; their sessions end."""
    _refuse_role(role)
    _change(context, name, {"role": role}, f"{{name}} is {role} now.")


@app.command("disable")
def disable(context: typer.Context, name: str = _NAME) -> None:
    """Lock a user; their sessions end, what they own stays."""
    _change(context, name, {"is_disabled": True}, "{name} is locked and signed out.")


@app.command("enable")
def enable(context: typer.Context, name: str = _NAME) -> None:
    """Let a locked user sign in again."""
    _change(context, name, {"is_disabled": False}, "{name} may sign in again.")


@app.command("remove")
def remove(context: typer.Context, name: str = _NAME) -> None:
    """Remove a user who owns no accounts."""
    session = session_of(context)
    with session.client() as client:
        user = _named(client, name)
        client.delete(ROOT + path_of(user["user_id"]))
    _say(session.out, {"user_id": user["user_id"], "removed": True}, f"{user['name']} is removed.")


def _change(context: typer.Context, name: str, changes: dict[str, Any], words: str) -> None:
    session = session_of(context)
    with session.client() as client:
        user = _named(client, name)
        changed = client.patch(ROOT + path_of(user["user_id"]), changes, user["rev"])
    _say(session.out, changed, words.format(name=changed["name"]))


def _named(client: Client, name: str) -> Any:
    wanted = name.strip().casefold()
    for user in client.whole(ROOT):
        if user["name"] == wanted:
            return user
    raise CommandFailed("there is no such user", where=name, advice=("wunder user list",))


def _password(source: str, out: Output) -> str:
    """Return a password from a file, from stdin, or typed twice. Raises: CommandFailed."""
    if not source:
        instead = "--password-file FILE (- for stdin)"
        typed = out.ask_secret("Password:", instead)
        if typed != out.ask_secret("The same again:", instead):
            raise bad_usage("these were two different passwords")
        return typed
    if source == "-":
        return sys.stdin.read(MAX_PASSWORD_BYTES).rstrip("\r\n")
    try:
        return Path(source).read_text("utf-8")[:MAX_PASSWORD_BYTES].rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise bad_usage(f"the password cannot be read: {words}", where=source) from error


def _refuse_role(role: str) -> None:
    if role not in ROLES:
        raise bad_usage(f"there is no role {role}", f"there are: {', '.join(ROLES)}")


def _signs_in_with(row: Any) -> str:
    ways = [("a password", row["has_password"]), ("OIDC", row["is_external"])]
    return ", ".join(way for way, is_so in ways if is_so) or "nothing yet"


def _say(out: Output, document: Any, words: str) -> None:
    if out.is_json:
        out.document(document)
    out.line(words)
