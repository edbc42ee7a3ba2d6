"""Every command but `serve`: which module has it, and how its end becomes an exit code."""

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import typer
from typer.exceptions import Abort, Exit, TyperException

from wunder.cli.failure import BAD_USAGE, OK, STOPPED, CommandFailed
from wunder.cli.global_options import GlobalOptions
from wunder.cli.output import Output
from wunder.cli.plain_text import plain
from wunder.cli.session import Session, new_group

HELP = """Wunder Channels: people on chat platforms talk to an AI agent through this gateway.

Commands speak to the gateway that runs on the data directory; where none runs, they open the
store themselves.
"""


class Entry(NamedTuple):
    """Where a command or a group of commands lives."""

    module: str
    summary: str
    is_group: bool = True


#: Only the module of the command that is asked for is imported.
COMMANDS = {
    "setup": Entry("setup", "Trade the first-run token for an API token.", is_group=False),
    "doctor": Entry("doctor", "Look for what keeps a gateway from working.", is_group=False),
    "providers": Entry("providers", "List the channels this gateway can speak.", is_group=False),
    "plugin": Entry("plugins", "Pack, install, approve, switch and try channel plugins."),
    "account": Entry("accounts", "Accounts: the logins on channels."),
    "binding": Entry("bindings", "Bindings: which conversations go to which agent."),
    "agent": Entry("agents", "Agents: what answers."),
    "message": Entry("messages", "Messages: send one first, find them, route one again."),
    "trace": Entry("trace", "Show where a message is, step by step.", is_group=False),
    "events": Entry("events", "What happened; --follow for what happens.", is_group=False),
    "outbox": Entry("outbox", "Deliveries: look at them, replay them, let held ones go."),
    "job": Entry("jobs", "Jobs: work that goes on in small steps."),
    "quarantine": Entry("quarantine", "What arrived and could not become a message."),
    "pairing": Entry("pairings", "Strangers with a code: let them in, or keep them out."),
    "token": Entry("tokens", "API tokens."),
    "user": Entry("users", "People who sign in to the console."),
    "backup": Entry(
        "backup", "Write a copy of the store while the gateway serves.", is_group=False
    ),
    "restore": Entry("restore", "Put a backup in the place of the store.", is_group=False),
    "migrate": Entry("migrate", "Bring the store's schema up to date.", is_group=False),
    "export": Entry("export_store", "Leave SQLite: everything in one file.", is_group=False),
    "import": Entry("import_store", "Fill an empty PostgreSQL from an export.", is_group=False),
    "nodes": Entry("nodes", "Show the gateways that share the store.", is_group=False),
}


def run_command(options: GlobalOptions, arguments: Sequence[str]) -> int:
    """Run one command and return the exit code."""
    out = Output(is_json=options.json)
    wanted = next((word for word in arguments if not word.startswith("-")), "")
    app = _app(wanted)
    try:
        ended = app(
            list(arguments), prog_name="wunder", standalone_mode=False, obj=Session(options, out)
        )
    except CommandFailed as failure:
        out.failed(failure)
        return failure.exit_code
    except Exit as ending:
        return ending.exit_code
    except (Abort, KeyboardInterrupt):
        print("\nwunder: stopped", file=sys.stderr)
        return STOPPED
    except TyperException as wrong:
        return _wrong_usage(wrong, out)
    return ended if isinstance(ended, int) else OK


def _app(wanted: str) -> typer.Typer:
    """Build the tree of commands; only the branch `wanted` is there in full."""
    app = new_group(HELP)
    app.callback()(_show_global_options)
    for name, entry in {
        "serve": Entry("", "Start the gateway.", is_group=False),
        **COMMANDS,
    }.items():
        if name != wanted:
            _add_stub(app, name, entry)
            continue
        module: Any = importlib.import_module(f"wunder.cli.commands.{entry.module}")
        if entry.is_group:
            app.add_typer(module.app, name=name, help=entry.summary)
        else:
            app.command(name, help=entry.summary)(module.command)
    return app


def _add_stub(app: typer.Typer, name: str, entry: Entry) -> None:
    """Give the list of commands its line."""
    app.command(name, help=entry.summary)(_stub)


def _stub() -> None:
    """Stand for a command in the list of commands."""


def _show_global_options(  # noqa: PLR0913 - one parameter an option
    data_dir: str = typer.Option(
        "", "--data-dir", metavar="DIR", help="The gateway's data directory."
    ),
    config: str = typer.Option("", "--config", metavar="FILE", help="Its TOML file of settings."),
    url: str = typer.Option(
        "", "--url", metavar="URL", help="Speak to another gateway; needs a token."
    ),
    token_file: str = typer.Option(
        "", "--token-file", metavar="FILE", help="A file with an API token."
    ),
    lang: str = typer.Option(
        "", "--lang", metavar="LANG", help="zh-CN or en, for texts of plugins."
    ),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    """Name the options that stand anywhere on the line: they are taken out before this sees them."""


def _wrong_usage(wrong: TyperException, out: Output) -> int:
    """Say what is wrong with a command line in one line, and how it is used."""
    context = getattr(wrong, "ctx", None)
    if type(wrong).__name__ == "NoArgsIsHelpError" and context is not None:
        print(context.get_help())
        return BAD_USAGE
    words = wrong.format_message() or "this is not how it is used"
    if out.is_json:
        out.failed(CommandFailed(words, exit_code=BAD_USAGE))
        return BAD_USAGE
    print(f"wunder: {plain(words)}", file=sys.stderr)
    if context is not None:
        print(f"{context.get_usage()}\nhelp: {context.command_path} --help", file=sys.stderr)
    return BAD_USAGE
