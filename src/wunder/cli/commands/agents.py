"""`wunder agent`: what answers. Secrets come from files, stdin or prompts only."""

from collections.abc import Mapping
from typing import Any

import typer

from wunder.cli.client import path_of
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.given_config import read_config
from wunder.cli.output import Column, when
from wunder.cli.session import Session, new_group, session_of

app = new_group("Agents: what answers.")
ROOT = "/wunder/admin/agents"
KINDS = ("echo", "openai", "http")
_AGENT = typer.Argument(..., metavar="AGENT", help="Its id.")
_CONFIG = typer.Option(
    "", "--config-file", metavar="FILE", help="JSON or TOML; - reads JSON from stdin."
)


@app.command("list")
def list_agents(context: typer.Context) -> None:
    """List the agents."""
    session = session_of(context)
    with session.client() as client:
        found = client.whole(ROOT)
    columns: list[Column] = [
        ("AGENT", "agent_id"),
        ("KIND", "kind"),
        ("DEFAULT", "is_default"),
        ("FOR USERS", "is_visible_to_users"),
        ("CHANGED", lambda row: when(row["updated_at"])),
    ]
    session.out.listing(found, columns, "There are no agents: `wunder agent add`.")


@app.command("show")
def show(context: typer.Context, agent_id: str = _AGENT) -> None:
    """Show an agent, without its secrets."""
    session = session_of(context)
    with session.client() as client:
        found = client.get(ROOT + path_of(agent_id))
    if session.out.is_json:
        session.out.document(found)
        return
    session.out.facts((name, value) for name, value in found.items() if name != "config")
    config = found["config"].items()
    session.out.facts(
        (f"config.{name}", "(set)" if value == {"set": True} else value) for name, value in config
    )


@app.command("add")
def add(
    context: typer.Context,
    agent_id: str = _AGENT,
    kind: str = typer.Argument(..., metavar="KIND", help=f"One of {', '.join(KINDS)}."),
    config_file: str = _CONFIG,
    default: bool = typer.Option(False, "--default", help="Let it answer what names no agent."),
    for_users: bool = typer.Option(
        False, "--for-users", help="Let users bind their accounts to it."
    ),
) -> None:
    """Make an agent."""
    session = session_of(context)
    if kind not in KINDS:
        raise bad_usage(f"there is no kind {kind}", f"there are: {', '.join(KINDS)}")
    body = {
        "agent_id": agent_id,
        "kind": kind,
        "config": read_config(config_file, session.out) if config_file else {},
        "is_default": default,
        "is_visible_to_users": for_users,
    }
    with session.client() as client:
        made = client.post(ROOT, body)
    _done(session, made, f"agent {agent_id} is made.")


@app.command("set")
def change(
    context: typer.Context,
    agent_id: str = _AGENT,
    config_file: str = _CONFIG,
    default: bool | None = typer.Option(
        None, "--default/--no-default", help="Whether it is the default."
    ),
    for_users: bool | None = typer.Option(
        None, "--for-users/--no-for-users", help="Whether users may use it."
    ),
) -> None:
    """Change an agent. A --config-file replaces its settings; secrets left out stay."""
    session = session_of(context)
    if not config_file and default is None and for_users is None:
        raise bad_usage("nothing to change: give --config-file, --default or --for-users")
    with session.client() as client:
        seen = client.get(ROOT + path_of(agent_id))
        body: dict[str, Any] = {
            "agent_id": agent_id,
            "kind": seen["kind"],
            "is_default": seen["is_default"] if default is None else default,
            "is_visible_to_users": seen["is_visible_to_users"] if for_users is None else for_users,
        }
        if config_file:
            body["config"] = read_config(config_file, session.out)
        changed = client.put(ROOT + path_of(agent_id), body, seen["rev"])
    _done(session, changed, f"agent {agent_id} is changed.")


@app.command("remove")
def remove(
    context: typer.Context,
    agent_id: str = _AGENT,
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Remove an agent that no binding names."""
    session = session_of(context)
    if not yes and not session.out.confirm(f"Remove agent {agent_id}?", "--yes"):
        raise CommandFailed("nothing was removed")
    with session.client() as client:
        client.delete(ROOT + path_of(agent_id))
    if session.out.is_json:
        session.out.document({"agent_id": agent_id, "removed": True})
    session.out.line(f"agent {agent_id} is removed.")


@app.command("try")
def attempt(
    context: typer.Context,
    agent_id: str = _AGENT,
    text: str = typer.Argument("Hello", help="What to say to it."),
) -> None:
    """Say something to an agent. Nothing is stored or sent."""
    session = session_of(context)
    with session.out.progress(f"asking {agent_id}"), session.client() as client:
        answer = client.post(ROOT + path_of(agent_id, "try"), {"text": text})
    if session.out.is_json:
        session.out.document(answer)
    for reply in answer["replies"]:
        session.out.line(reply["text"])
    if not answer["replies"]:
        session.out.note("it had nothing to say")


def _done(session: Session, view: Mapping[str, Any], sentence: str) -> None:
    if session.out.is_json:
        session.out.document(view)
    session.out.line(sentence)
