"""`wunder account`: the logins on channels. Secrets come from files, stdin or prompts only."""

from collections.abc import Callable, Mapping
from typing import Any

import typer

from wunder.cli.choices import one_of
from wunder.cli.client import Client, path_of
from wunder.cli.commands.messages import split_account
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.given_config import ask_config, read_config
from wunder.cli.output import Column, Output, when
from wunder.cli.session import Session, new_group, session_of

app = new_group("Accounts: the logins on channels.")
ROOT = "/wunder/admin/channels/accounts"
PROVIDERS = "/wunder/admin/channels/providers"
#: What is to be changed of an account that was read.
_Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_ACCOUNT = typer.Argument(
    ..., metavar="CHANNEL/ACCOUNT", help="The channel and the name of the account."
)
_CONFIG = typer.Option(
    "", "--config-file", metavar="FILE", help="JSON or TOML; - reads JSON from stdin."
)


@app.command("list")
def list_accounts(context: typer.Context) -> None:
    """List the accounts."""
    session = session_of(context)
    with session.client() as client:
        found = client.whole(ROOT)
    columns: list[Column] = [
        ("ACCOUNT", lambda row: f"{row['channel']}/{row['account_id']}"),
        ("NAME", "display_name"),
        ("STATUS", "status"),
        ("ON PLATFORM", "external_id"),
        ("CHANGED", lambda row: when(row["updated_at"])),
    ]
    session.out.listing(found, columns, "There are no accounts: `wunder account add`.")


@app.command("show")
def show(context: typer.Context, account: str = _ACCOUNT) -> None:
    """Show an account, without its secrets."""
    session = session_of(context)
    path = _path(account)
    with session.client() as client:
        _show(session.out, client.get(path))


@app.command("add")
def add(
    context: typer.Context,
    account: str = _ACCOUNT,
    config_file: str = _CONFIG,
    name: str = typer.Option("", "--name", help="What people call it."),
    disabled: bool = typer.Option(False, "--disabled", help="Do not let it receive and send yet."),
) -> None:
    """Make an account. Without --config-file each field of its form is asked for."""
    session = session_of(context)
    channel, account_id = split_account(account)
    with session.client() as client:
        if config_file:
            config = read_config(config_file, session.out)
        else:
            config = ask_config(_schema(client, channel), session.options.lang, session.out)
        body = {
            "channel": channel,
            "account_id": account_id,
            "display_name": name,
            "is_enabled": not disabled,
            "provider_config": config,
        }
        view = client.post(ROOT, body)
    _changed(session, view, f"{account} is made.")
    if not session.out.is_json:
        session.out.line(f"next: wunder binding add AGENT --account {account}")


@app.command("set")
def change(
    context: typer.Context,
    account: str = _ACCOUNT,
    config_file: str = _CONFIG,
    name: str | None = typer.Option(None, "--name", help="What people call it."),
    direct: str = typer.Option(
        "", "--direct", help="Who may write directly: all, off, or pairing: by a code."
    ),
    groups: str = typer.Option(
        "", "--groups", help="What of groups is answered: mention, all or off."
    ),
    allow: list[str] = typer.Option([], "--allow", metavar="PEER", help="Let a peer in by name."),
    deny: list[str] = typer.Option([], "--deny", metavar="PEER", help="Keep a peer out."),
) -> None:
    """Change fields of an account, and who may talk to it. Null removes a field or clears a secret."""
    session = session_of(context)
    changes: dict[str, Any] = {}
    if config_file:
        changes["provider_config"] = read_config(config_file, session.out)
    if name is not None:
        changes["display_name"] = name
    rules_given = {
        "direct": one_of("--direct", direct, ("all", "off", "pairing")),
        "groups": one_of("--groups", groups, ("mention", "all", "off")),
    }
    access = {key: value for key, value in rules_given.items() if value}
    more = {key: peers for key, peers in (("allow_peers", allow), ("deny_peers", deny)) if peers}
    if not (changes or access or more):
        raise bad_usage("nothing to change: give --config-file, --name or who may talk to it")

    def changed(view: Mapping[str, Any]) -> Mapping[str, Any]:
        if not (access or more):
            return changes
        rules = view["access"]
        added = {key: list(dict.fromkeys([*rules[key], *peers])) for key, peers in more.items()}
        return {**changes, "access": {**rules, **access, **added}}

    _patch(session, account, changed, f"{account} is changed.")


@app.command("enable")
def enable(context: typer.Context, account: str = _ACCOUNT) -> None:
    """Let an account receive and send."""
    _patch(session_of(context), account, lambda _: {"is_enabled": True}, f"{account} is enabled.")


@app.command("disable")
def disable(context: typer.Context, account: str = _ACCOUNT) -> None:
    """Stop an account; its deliveries wait."""
    _patch(session_of(context), account, lambda _: {"is_enabled": False}, f"{account} is disabled.")


@app.command("remove")
def remove(
    context: typer.Context,
    account: str = _ACCOUNT,
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Remove an account. What that ends is shown; waiting deliveries are cancelled."""
    session = session_of(context)
    path = _path(account)
    with session.client() as client:
        impact = client.get(f"{path}/impact")
        more = "+" if impact["has_more"] else ""
        session.out.note(f"bindings that name it: {', '.join(impact['bindings']) or 'none'}")
        session.out.note(f"deliveries that would be cancelled: {impact['open_deliveries']}{more}")
        if not yes and not session.out.confirm(f"Remove {account}?", "--yes"):
            raise CommandFailed("nothing was removed")
        removed = client.delete(path)
    if session.out.is_json:
        session.out.document(removed)
    session.out.line(f"{account} is removed; {removed['cancelled']} deliveries were cancelled.")


@app.command("test")
def test(context: typer.Context, account: str = _ACCOUNT) -> None:
    """Ask the platform whether an account works."""
    session = session_of(context)
    path = _path(account)
    with session.out.progress("asking the platform"), session.client() as client:
        verdict = client.post(f"{path}/test")
    if session.out.is_json:
        session.out.document(verdict)
    _show_faults(session.out, verdict["warnings"], "warning")
    if not verdict["is_ok"]:
        advice = [
            f"{fault['path']}: {fault['message']} ({fault['code']})" for fault in verdict["errors"]
        ]
        if session.out.is_json:
            raise typer.Exit(1)
        raise CommandFailed("the configuration does not work", where=account, advice=advice)
    who = " ".join(part for part in (verdict["display_name"], verdict["external_id"]) if part)
    session.out.line(f"{account} works{': ' + who if who else ''}.")


def _patch(session: Session, account: str, changed: _Change, sentence: str) -> None:
    """Change an account as it was read, and no other: whoever changes it meanwhile is not undone."""
    path = _path(account)
    with session.client() as client:
        seen = client.get(path)
        view = client.patch(path, changed(seen), seen["rev"])
    _changed(session, view, sentence)


def _changed(session: Session, view: Mapping[str, Any], sentence: str) -> None:
    if session.out.is_json:
        session.out.document(view)
        return
    session.out.line(sentence)
    if view["note"] == "provider_unavailable":
        session.out.line("Its channel could not be asked: it is kept as a draft, disabled.")
    _show_faults(session.out, view["warnings"], "warning")
    session.out.line(f"webhook: {view['webhook_url']}")
    if view.get("chat_url"):
        session.out.line(f"chat: {view['chat_url']}")


def _show(out: Output, view: Mapping[str, Any]) -> None:
    if out.is_json:
        out.document(view)
        return
    out.facts(
        [
            ("account", f"{view['channel']}/{view['account_id']}"),
            ("name", view["display_name"]),
            ("status", view["status"]),
            ("on the platform", view["external_id"]),
            ("owner", view["owner_user_id"]),
            ("webhook", view["webhook_url"]),
            *([("chat", view["chat_url"])] if view.get("chat_url") else []),
            ("revision", view["rev"]),
            ("made", when(view["created_at"])),
            ("changed", when(view["updated_at"])),
        ]
    )
    out.line("")
    out.facts(
        (f"{part}.{name}", _masked(value))
        for part in ("provider_config", "access", "delivery")
        for name, value in view[part].items()
    )


def _show_faults(out: Output, faults: list[Any], word: str) -> None:
    for fault in faults:
        out.line(f"{word}: {fault['path'] or '/'}: {fault['message']} ({fault['code']})")


def _masked(value: Any) -> Any:
    return "(set)" if value == {"set": True} else value


def _schema(client: Client, channel: str) -> Any:
    for provider in client.whole(PROVIDERS):
        if provider["channel"] == channel:
            return provider["account_schema"]
    raise CommandFailed(
        f"this gateway cannot speak {channel}", advice=("see what it can: wunder providers",)
    )


def _path(account: str) -> str:
    return ROOT + path_of(*split_account(account))
