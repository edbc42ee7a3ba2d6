"""`wunder plugin`: pack, install, approve, enable, switch, remove and try channel plugins."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from wunder.cli.client import Client, Upload, path_of
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.output import Output, size
from wunder.cli.plugin_pages import (
    show_permissions,
    show_plugin,
    show_plugins,
    show_review,
    versions_of,
)
from wunder.cli.session import new_group, session_of

app = new_group("Pack, install, approve, switch and try channel plugins.")
ROOT = "/wunder/admin/channel_plugins"
_PIECE_BYTES = 65_536


@app.command("list")
def list_plugins(context: typer.Context) -> None:
    """List the installed plugins."""
    session = session_of(context)
    with session.client() as client:
        views = client.whole(ROOT)
    show_plugins(session.out, views)


@app.command("show")
def show(context: typer.Context, plugin_id: str) -> None:
    """Show a plugin, its versions and its process."""
    session = session_of(context)
    with session.client() as client:
        view = client.get(ROOT + path_of(plugin_id))
    show_plugin(session.out, view)


@app.command("pack")
def pack(
    context: typer.Context,
    folder: Path = typer.Argument(..., help="The plugin's folder."),
    to: Path | None = typer.Option(
        None, "--to", help="The zip, or the folder it goes to; default: here."
    ),
) -> None:
    """Pack a plugin's folder into a zip."""
    from wunder.cli.package_source import opened_package

    session = session_of(context)
    if not folder.is_dir():
        raise bad_usage("there is no such folder", where=str(folder))
    with session.out.progress(f"packing {folder.name}"), opened_package(str(folder)) as package:
        target = to or Path()
        if target.is_dir():
            target /= package.path.name
        shutil.copyfile(package.path, target)
    if session.out.is_json:
        session.out.document({"path": str(target), "sha256": package.sha256})
    session.out.line(f"{target}  {size(target.stat().st_size)}  sha256 {package.sha256}")


@app.command("install")
def install(
    context: typer.Context,
    package: str = typer.Argument(..., help="A folder, a zip, or builtin:<id>."),
    sha256: str = typer.Option("", "--sha256", help="Refuse the package if it hashes to another."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Approve without asking."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show the review and install nothing."),
) -> None:
    """Review, install and approve a package. Asks after showing its permissions."""
    from wunder.cli.package_source import opened_package

    session = session_of(context)
    out = session.out
    with contextlib.ExitStack() as opened:
        with out.progress(f"packing {package}"):
            found = opened.enter_context(opened_package(package))
        client = opened.enter_context(session.client())
        if sha256 and sha256.lower() != found.sha256:
            raise CommandFailed(
                f"the package hashes to {found.sha256}, not to what --sha256 says", where=package
            )
        review = _upload(client, out, found.path, found.sha256, dry_run=True)
        if dry_run:
            show_review(out, review, always=True)
            return
        show_review(out, review)
        if review["blocked_by"]:
            raise CommandFailed(
                review["blocked_detail"] or review["blocked_by"],
                where=package,
                document={"code": review["blocked_by"]},
            )
        is_approved = yes or out.confirm("Install it and approve these permissions?", "--yes")
        if not is_approved:
            raise CommandFailed("nothing was installed")
        installed = _upload(client, out, found.path, found.sha256, dry_run=False)
        view = client.post(
            ROOT + path_of(installed["plugin_id"], "approve"),
            {"version": installed["version"], "sha256": installed["package_sha256"]},
        )
    if out.is_json:
        out.document(view)
    name = f"{installed['plugin_id']} {installed['version']}"
    out.line(f"{name} is installed and approved. Next: wunder plugin enable {view['plugin_id']}")


@app.command("approve")
def approve(
    context: typer.Context,
    plugin_id: str,
    version: str,
    yes: bool = typer.Option(False, "--yes", "-y", help="Approve without asking."),
) -> None:
    """Approve an installed version and its permissions."""
    session = session_of(context)
    with session.client() as client:
        release = _release(client.get(ROOT + path_of(plugin_id)), version)
        show_permissions(session.out, release)
        if not yes and not session.out.confirm("Approve these permissions?", "--yes"):
            raise CommandFailed("nothing was approved")
        body = {"version": version, "sha256": release["package_sha256"]}
        view = client.post(ROOT + path_of(plugin_id, "approve"), body)
    _done(session.out, view, f"{plugin_id} {version} is approved.")


@app.command("enable")
def enable(
    context: typer.Context,
    plugin_id: str,
    version: str = typer.Option(
        "", "--version", help="Which; default: the current, else the newest."
    ),
    confirm: str = typer.Option(
        "", "--confirm", metavar="ID", help="Its id, to take over from a built-in."
    ),
) -> None:
    """Let a plugin serve its id, or switch its version."""
    session = session_of(context)
    body = {"version": version or None, "confirm": confirm or None}
    with session.client() as client:
        try:
            view = client.post(ROOT + path_of(plugin_id, "enable"), body)
        except CommandFailed as refused:
            if refused.document.get("code") != "takes_over_builtin":
                raise
            body["confirm"] = _confirmed_takeover(session.out, plugin_id, refused)
            view = client.post(ROOT + path_of(plugin_id, "enable"), body)
    _done(session.out, view, f"{plugin_id} {view['current_version']} is enabled.")


@app.command("disable")
def disable(context: typer.Context, plugin_id: str) -> None:
    """Take a plugin out of service. Deliveries wait, or the built-in serves."""
    session = session_of(context)
    with session.client() as client:
        view = client.post(ROOT + path_of(plugin_id, "disable"))
    _done(session.out, view, f"{plugin_id} is disabled; served by: {view['serving']}.")


@app.command("source")
def source(
    context: typer.Context,
    plugin_id: str,
    who: str = typer.Argument(..., metavar="builtin|plugin", help="Who is to serve this id."),
) -> None:
    """Switch between plugin and built-in. Accounts and bindings stay."""
    session = session_of(context)
    if who not in {"builtin", "plugin"}:
        raise bad_usage("the source is `builtin` or `plugin`")
    with session.client() as client:
        view = client.post(ROOT + path_of(plugin_id, "source"), {"source": who})
    _done(session.out, view, f"{plugin_id} is served by: {view['serving']}.")


@app.command("remove")
def remove(
    context: typer.Context,
    plugin_id: str,
    version: str,
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Delete a version. The last one uninstalls the plugin; accounts stay."""
    session = session_of(context)
    if not yes and not session.out.confirm(f"Delete {plugin_id} {version}?", "--yes"):
        raise CommandFailed("nothing was removed")
    with session.client() as client:
        removed = client.delete(ROOT + path_of(plugin_id, version))
    if session.out.is_json:
        session.out.document(removed)
    gone = "the plugin is uninstalled" if removed["is_uninstalled"] else "other versions stay"
    session.out.line(f"{plugin_id} {version} is removed; {gone}.")


@app.command("logs")
def logs(context: typer.Context, plugin_id: str) -> None:
    """Show the last lines that a plugin wrote."""
    session = session_of(context)
    with session.client() as client:
        found = client.get(ROOT + path_of(plugin_id, "logs"))
    if session.out.is_json:
        session.out.document(found)
    for line in found["lines"]:
        session.out.line(line)


@app.command("call")
def call(
    target: str = typer.Argument(..., help="builtin:<id>, a plugin's folder, or a zip."),
    now: float | None = typer.Option(
        None, "--now", metavar="UNIX", help="Let the clock stand at this second."
    ),
) -> None:
    """Call a channel line by line, without a gateway.

    Each line of stdin is {"id","method","params"}; each line of stdout the result or error, in order.
    """
    from wunder.cli.call.calling import run_plugin_call
    from wunder.cli.call.lines import StdinLines
    from wunder.observe import logs

    # The author reads the channel's own lines; the supervisor speaks only of what went wrong.
    logs.configure("warning", json=False)
    run_plugin_call(target, now, StdinLines())


def _upload(client: Client, out: Output, path: Path, sha256: str, *, dry_run: bool) -> Any:
    size_bytes = path.stat().st_size
    what = "checking the package" if dry_run else "uploading the package"
    with out.progress(what, size_bytes) as step, path.open("rb") as file:

        def pieces() -> Iterator[bytes]:
            while piece := file.read(_PIECE_BYTES):
                step(len(piece))
                yield piece

        upload = Upload(path.name, pieces(), size_bytes)
        return client.upload(
            f"{ROOT}/upload", upload, {"sha256": sha256}, {"dry_run": True} if dry_run else None
        )


def _confirmed_takeover(out: Output, plugin_id: str, refused: CommandFailed) -> str:
    """Show which accounts would be handed to the plugin and have its id typed."""
    impact = refused.document.get("state", {})
    out.note(
        f"The built-in {impact.get('builtin_id')} serves this id now. Enabling the plugin hands"
    )
    out.note(f"it {impact.get('bindings', 0)} bindings, and the messages and secrets of:")
    for account in impact.get("accounts") or ():
        names = (account.get("channel"), account.get("account_id"), account.get("display_name"))
        out.note("  " + " / ".join(str(name) for name in names if name))
    if not out.is_interactive:
        raise CommandFailed(
            refused.what,
            where=refused.where,
            advice=(f"agree with --confirm {plugin_id}",),
            document=refused.document,
        )
    typed = out.ask(f"Type {plugin_id} to agree:", f"--confirm {plugin_id}")
    if typed != plugin_id:
        raise CommandFailed("nothing was enabled: the id was not typed")
    return typed


def _done(out: Output, view: Any, sentence: str) -> None:
    if out.is_json:
        out.document(view)
    out.line(sentence)


def _release(view: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    for release in view["releases"]:
        if release["version"] == version:
            found: Mapping[str, Any] = release
            return found
    raise CommandFailed(
        f"{view['plugin_id']} has no version {version}", advice=(f"it has: {versions_of(view)}",)
    )
