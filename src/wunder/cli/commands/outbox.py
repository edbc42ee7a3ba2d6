"""`wunder outbox`: look at deliveries, replay, correct or cancel them, let held ones go."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from wunder.cli import moments
from wunder.cli.choices import one_of
from wunder.cli.client import path_of
from wunder.cli.commands.jobs import watched
from wunder.cli.commands.messages import given_text, split_account
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.output import Column, Output, when
from wunder.cli.session import new_group, session_of
from wunder.model.delivery import DeliveryState

app = new_group("Deliveries: look at them, replay, correct or cancel them, let held ones go.")
ROOT = "/wunder/admin/channels/outbox"
#: What a replay may take: deliveries that are over and did not arrive, as far as is known.
REPLAYABLE = ("failed", "unknown", "expired")
TWICE = " The old text may have arrived, or a part of it: people get both then."


@app.command("list")
def list_deliveries(
    context: typer.Context,
    state: str = typer.Option("", "--state", help="pending, sending, sent, failed, unknown, .."),
    account: str = typer.Option("", "--account", metavar="CHANNEL/ACCOUNT"),
    peer_id: str = typer.Option("", "--peer", metavar="ID"),
    since: str = typer.Option("", "--since", metavar="WHEN", help=f"Queued since: {moments.HELP}"),
    until: str = typer.Option("", "--until", metavar="WHEN", help="Queued before."),
    limit: int = typer.Option(20, "--limit", min=1, max=1_000),
) -> None:
    """List deliveries, newest first."""
    session = session_of(context)
    channel, account_id = split_account(account) if account else ("", "")
    query: dict[str, object] = {
        "state": one_of("--state", state, DeliveryState),
        "channel": channel,
        "account_id": account_id,
        "peer_id": peer_id,
        "since": moments.moment(since) or "",
        "until": moments.moment(until) or "",
    }
    with session.client() as client:
        found = list(client.items(ROOT, query, limit))
    columns: list[Column] = [
        ("CREATED", lambda row: when(row["created_at"])),
        ("DELIVERY", "delivery_id"),
        ("ACCOUNT", lambda row: f"{row['channel']}/{row['account_id']}"),
        ("PEER", lambda row: f"{row['peer_kind']}:{row['peer_id']}"),
        ("STATE", lambda row: row["state"] + (", corrected" if row["successor_id"] else "")),
        ("RECEIPT", "receipt"),
        ("ATTEMPTS", "attempts"),
        ("NEXT TRY", lambda row: when(row["retry_at"])),
        ("ERROR", "error_kind"),
    ]
    session.out.listing(found, columns, "No such deliveries.")


@app.command("show")
def show(context: typer.Context, delivery_id: str) -> None:
    """Show a delivery and each try at it."""
    session = session_of(context)
    with session.client() as client:
        delivery = client.get(ROOT + path_of(delivery_id))
        attempts = client.whole(ROOT + path_of(delivery_id, "attempts"))
    if session.out.is_json:
        session.out.document({"delivery": delivery, "attempts": attempts})
        return
    session.out.facts(
        (name.replace("_", " "), _shown(name, value)) for name, value in delivery.items()
    )
    session.out.line("")
    columns: list[Column] = [
        ("NO", "attempt_no"),
        ("PART", "part"),
        ("STARTED", lambda row: when(row["started_at"])),
        ("TOOK", lambda row: f"{row['took_ms']} ms"),
        ("OUTCOME", lambda row: row["outcome"] or "under way"),
        ("BY", lambda row: f"{row['plugin_id']} {row['version']}"),
        ("ERROR", lambda row: f"{row['error_kind']} {row['error']}".strip()),
        ("PLATFORM SAID", lambda row: row["provider_code"] or row["provider_message_id"]),
    ]
    session.out.table(attempts, columns, "It was not tried yet.")


@app.command("replay")
def replay(
    context: typer.Context,
    delivery_ids: list[str] | None = typer.Argument(
        None, metavar="[DELIVERY_ID]...", help="Which ones."
    ),
    state: list[str] = typer.Option(
        [], "--state", help="Instead: all of a state: failed (default), unknown, expired."
    ),
    account: str = typer.Option("", "--account", metavar="CHANNEL/ACCOUNT", help="Of one account."),
    since: str = typer.Option("", "--since", metavar="WHEN", help=f"Ended since: {moments.HELP}"),
    until: str = typer.Option("", "--until", metavar="WHEN", help="Ended before."),
    force: bool = typer.Option(
        False, "--force", help="Also named ones that were sent: they arrive twice."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only count them."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    no_wait: bool = typer.Option(False, "--no-wait", help="Order it and do not watch."),
) -> None:
    """Send failed, unknown or expired deliveries again. Same key, at the tail of the conversation."""
    session = session_of(context)
    if bool(delivery_ids) == bool(state or account or since or until):
        raise bad_usage("name deliveries, or choose them by --state, --account and --since")
    if force and not delivery_ids:
        raise bad_usage("--force goes with deliveries that are named, not with a choice of them")
    chosen = {"filter": _filter(state, account, since, until)}
    wanted: dict[str, Any] = {"ids": delivery_ids} if delivery_ids else chosen
    if force:
        wanted["force"] = True
    with session.client() as client:
        preview = client.post(f"{ROOT}/replay", {**wanted, "dry_run": True})
        _tell_left_out(session.out, preview, delivery_ids or (), is_order=not dry_run)
        if dry_run or not preview["total"]:
            _show_preview(session.out, preview)
            return
        if not yes:
            _show_preview(session.out, preview)
            if not session.out.confirm(_question(preview), "--yes"):
                raise CommandFailed("nothing was replayed")
        job = client.post(f"{ROOT}/replay", wanted)
        if not no_wait:
            job = watched(client, session.out, job)
    if session.out.is_json:
        session.out.document(job)
        return
    if no_wait:
        session.out.line(f"ordered; follow it: wunder job show {job['job_id']} --wait")
        return
    gone = f"; {job['skipped']} had ended otherwise meanwhile" if job["skipped"] else ""
    words = (
        "go out again" if job["state"] == "done" else f"go out again, then it was {job['state']}"
    )
    session.out.line(f"{job['done']} of {job['total']} deliveries {words}{gone}.")


def _tell_left_out(out: Output, preview: Any, named: Sequence[str], *, is_order: bool) -> None:
    """Say that named ones stay where they are. Raises: CommandFailed, where all of them do."""
    left = len(set(named)) - preview["total"]
    if left <= 0:
        return
    words = f"{left} of those named cannot go again: not there, under way, sent or replaced"
    if is_order and not preview["total"]:
        raise CommandFailed(words, advice=["look at one: wunder outbox show DELIVERY_ID"])
    out.note(words)


def _question(preview: Any) -> str:
    arrived = sum(group["count"] for group in preview["groups"] if group["state"] == "sent")
    twice = f" {arrived} of them arrived: people get them twice." if arrived else ""
    return f"Send {preview['total']} deliveries again?{twice}"


def _show_preview(out: Output, preview: Any) -> None:
    if out.is_json:
        out.document(preview)
        return
    columns: list[Column] = [
        ("ACCOUNT", lambda row: f"{row['channel']}/{row['account_id']}"),
        ("PLUGIN", "plugin_id"),
        ("STATE", "state"),
        ("COUNT", "count"),
    ]
    out.table(preview["groups"], columns, "Nothing to send again.")


@app.command("cancel")
def cancel(
    context: typer.Context,
    delivery_ids: list[str] = typer.Argument(metavar="DELIVERY_ID...", help="Which ones."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Cancel deliveries that wait or are held: they are never sent. What is being sent goes on."""
    session = session_of(context)
    question = f"Never send {_counted(len(delivery_ids))}?"
    if not yes and not session.out.confirm(question, "--yes"):
        raise CommandFailed("nothing was cancelled")
    with session.client() as client:
        done = client.post(f"{ROOT}/cancel", {"ids": delivery_ids})
    session.out.line(f"{_counted(len(done['cancelled']))} cancelled.")
    if done["left"]:
        left = ", ".join(done["left"])
        raise CommandFailed(f"being sent, over, or not there: {left}", document=done)
    if session.out.is_json:
        session.out.document(done)


@app.command("correct")
def correct(
    context: typer.Context,
    delivery_id: str = typer.Argument(metavar="DELIVERY_ID", help="Which one."),
    text: str | None = typer.Argument(None, help="The text; `-` or nothing reads stdin."),
    text_file: Path | None = typer.Option(None, "--text-file", help="Read the text from a file."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Send one that did not arrive anew, with another text."""
    session = session_of(context)
    if not yes and text_file is None and text in (None, "-"):
        raise bad_usage("the text is read from stdin: nobody can be asked, agree with --yes")
    wanted = {"text": given_text(text, text_file)}
    with session.client() as client:
        old = client.get(ROOT + path_of(delivery_id))
        to = f"{old['channel']}/{old['account_id']}, {old['peer_kind']}:{old['peer_id']}"
        twice = TWICE if old["state"] == "unknown" or old["part"] else ""
        if not yes and not session.out.confirm(f"Send this text to {to} instead?{twice}", "--yes"):
            raise CommandFailed("nothing was sent")
        sent = client.post(ROOT + path_of(delivery_id, "correct"), wanted)
    if session.out.is_json:
        session.out.document(sent)
    session.out.line(f"queued as delivery {sent['delivery_id']}, in place of {delivery_id}")
    session.out.line(f"follow it: wunder outbox show {sent['delivery_id']}")


@app.command("release")
def release(
    context: typer.Context,
    channel: str = typer.Option("", "--channel", help="Only this channel's."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Let deliveries go that a restore held back."""
    session = session_of(context)
    question = "Send what the restore held back? Some may have been sent before the backup."
    if not yes and not session.out.confirm(question, "--yes"):
        raise CommandFailed("nothing was released")
    with session.client() as client:
        released = client.post(f"{ROOT}/release", {"channel": channel or None})
    if session.out.is_json:
        session.out.document(released)
    session.out.line(f"{released['count']} deliveries go out.")


def _filter(states: list[str], account: str, since: str, until: str) -> dict[str, Any]:
    if wrong := set(states) - set(REPLAYABLE):
        raise bad_usage(f"{', '.join(wrong)}: only {', '.join(REPLAYABLE)} are replayed")
    channel, account_id = split_account(account) if account else ("", "")
    return {
        "states": states or ["failed"],
        "channel": channel,
        "account_id": account_id,
        "since": moments.moment(since),
        "until": moments.moment(until),
    }


def _counted(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"


def _shown(name: str, value: Any) -> Any:
    return when(value) if name.endswith("_at") else value
