"""Turn a filter of deliveries or messages into a WHERE made of constants and bound values."""

from collections.abc import Collection, Iterable
from typing import Any

from wunder.model.delivery import DeliveryState
from wunder.store.states import LIVE_DELIVERIES, TROUBLED_DELIVERIES, TROUBLED_MESSAGES
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter

TROUBLE = ("failed", "unknown", "expired", "cancelled", "held")
LIVE = ("pending", "claimed", "sending", "held", "streaming")
TROUBLE_OF_MESSAGES = ("unrouted", "refused", "failed")
_TEXT_COLUMNS = (
    "text",
    "peer_name",
    "sender_name",
    "peer_id",
    "sender_id",
    "message_id",
    "platform_message_id",
)
Condition = tuple[str, tuple[Any, ...]]


def delivery_where(where: DeliveryFilter) -> Condition:
    """The condition of a filter over `channel_outbox`."""
    parts: list[str] = ["1 = 1"]
    values: list[Any] = []
    if where.states:
        marks = ", ".join("?" * len(where.states))
        parts.append(f"state IN ({marks})")
        values += [state.value for state in where.states]
        # Said again in the words of a partial index, so that it can be used.
        if all(state.value in TROUBLE for state in where.states):
            parts.append(TROUBLED_DELIVERIES)
        elif all(state.value in LIVE for state in where.states):
            parts.append(LIVE_DELIVERIES)
    equals = {"channel": where.channel, "account_id": where.account_id, "peer_id": where.peer_id}
    equals["error_kind"] = where.error_kind
    _add_equals(parts, values, equals)
    _add_span(parts, values, where.since, where.until)
    return " AND ".join(parts), tuple(values)


def is_indexed(states: Iterable[DeliveryState], index: Collection[str]) -> bool:
    """Tell whether a partial index (of TROUBLE, of LIVE) holds every delivery of these states."""
    return all(state.value in index for state in states)


def message_where(where: MessageFilter, like: str) -> Condition:
    """The condition of a filter over `channel_messages`; `like` ignores case: LIKE or ILIKE."""
    parts: list[str] = ["1 = 1"]
    values: list[Any] = []
    equals = {
        "channel": where.channel,
        "account_id": where.account_id,
        "peer_id": where.peer_id,
        "session_id": where.session_id,
        "state": where.state,
        "direction": where.direction,
    }
    _add_equals(parts, values, equals)
    if where.session_id:
        parts.append("session_id IS NOT NULL")
    if where.state in TROUBLE_OF_MESSAGES:
        parts.append(TROUBLED_MESSAGES)
    _add_span(parts, values, where.since, where.until)
    if where.text:
        parts.append(
            "(" + " OR ".join(f"{column} {like} ? ESCAPE '\\'" for column in _TEXT_COLUMNS) + ")"
        )
        values += [substring(where.text)] * len(_TEXT_COLUMNS)
    return " AND ".join(parts), tuple(values)


def substring(text: str) -> str:
    """Return the pattern of what contains a text."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _add_equals(parts: list[str], values: list[Any], wanted: dict[str, str]) -> None:
    for column, value in wanted.items():
        if value:
            parts.append(f"{column} = ?")
            values.append(value)


def _add_span(parts: list[str], values: list[Any], since: int | None, until: int | None) -> None:
    if since is not None:
        parts.append("created_at >= ?")
        values.append(since)
    if until is not None:
        parts.append("created_at < ?")
        values.append(until)
