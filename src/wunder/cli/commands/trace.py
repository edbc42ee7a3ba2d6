"""`wunder trace`: where one message is, from the webhook to the platform's receipt."""

from collections.abc import Mapping
from typing import Any

import typer

from wunder.cli.client import Client, path_of
from wunder.cli.failure import CommandFailed
from wunder.cli.output import Column, Output, when
from wunder.cli.session import session_of

ROOT = "/wunder/admin/channels"


def command(
    context: typer.Context,
    message_id: str = typer.Argument(
        ..., help="The id of a message or a delivery, or part of its text."
    ),
) -> None:
    """Show every step of one message: who did it, which attempt, how long after the first."""
    session = session_of(context)
    with session.client() as client:
        found = _resolved(client, message_id)
        steps = client.whole(f"{ROOT}/messages{path_of(found['message_id'], 'trail')}")
        deliveries = _deliveries(client, steps)
    if session.out.is_json:
        session.out.document({"message": found, "steps": steps, "deliveries": deliveries})
        return
    _show_message(session.out, found)
    _show_steps(session.out, steps)
    _show_deliveries(session.out, deliveries)


def _resolved(client: Client, wanted: str) -> Any:
    """Find the message by its id, a delivery's id, or the newest that has the text."""
    try:
        return client.get(f"{ROOT}/messages{path_of(wanted)}")
    except CommandFailed as failure:
        if failure.document.get("status") != 404:
            raise
    try:
        delivery = client.get(f"{ROOT}/outbox{path_of(wanted)}")
        root = delivery["root_message_id"] or delivery["message_id"]
        return client.get(f"{ROOT}/messages{path_of(root)}")
    except CommandFailed as failure:
        if failure.document.get("status") != 404:
            raise
    matches = list(client.items(f"{ROOT}/messages", {"text": wanted}, 12))
    # A question and its answer share words, and the question's trail holds both.
    matches = [one for one in matches if one["direction"] == "in"] or matches
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise CommandFailed(
            "no message has this id or text", advice=("find it: wunder message list --text ...",)
        )
    ids = [f"{message['message_id']}  {when(message['created_at'])}" for message in matches]
    raise CommandFailed("several messages match; name one by its id", advice=ids)


def _deliveries(client: Client, steps: list[Any]) -> list[Any]:
    ids = dict.fromkeys(step["delivery_id"] for step in steps if step["delivery_id"])
    return [client.get(f"{ROOT}/outbox{path_of(one)}") for one in ids]


def _show_message(out: Output, message: Mapping[str, Any]) -> None:
    out.facts(
        [
            ("message", message["message_id"]),
            ("platform id", message.get("platform_message_id")),
            ("account", f"{message['channel']}/{message['account_id']}"),
            ("peer", f"{message['peer_kind']}:{message['peer_id']}"),
            ("state", message["state"]),
            ("text", message.get("text")),
        ]
    )
    out.line("")


def _show_steps(out: Output, steps: list[Any]) -> None:
    first = steps[0]["at"] if steps else 0
    columns: list[Column] = [
        ("WHEN", lambda step: when(step["at"])),
        ("AFTER", lambda step: f"+{(step['at'] - first) / 1000:.3f} s"),
        ("STEP", "step"),
        ("ATTEMPT", lambda step: step["attempt_no"] or ""),
        ("BY", lambda step: f"{step['plugin_id']} {step['version']}".strip()),
        ("ACCOUNT", "account_id"),
        (
            "DETAIL",
            lambda step: ", ".join(f"{key}={value}" for key, value in step["detail"].items()),
        ),
    ]
    out.table(steps, columns, "No step of it is kept any more.")


def _show_deliveries(out: Output, deliveries: list[Any]) -> None:
    for delivery in deliveries:
        out.line("")
        out.facts(
            [
                ("delivery", delivery["delivery_id"]),
                ("state", delivery["state"]),
                ("receipt", delivery["receipt"]),
                ("attempts", delivery["attempts"]),
                ("platform id", delivery["provider_message_id"]),
                ("error", f"{delivery['error_kind']} {delivery['error']}".strip()),
                ("next try", when(delivery["retry_at"])),
            ]
        )
