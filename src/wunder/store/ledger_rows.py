"""What people are shown of deliveries, attempts, trails and sessions: columns, and how they are read."""

from enum import StrEnum
from typing import Any

from wunder.model.conversation import Conversation, Session
from wunder.model.delivery import DeliveryState, StoredAttempt, StoredDelivery
from wunder.model.ids import At, attempt_id
from wunder.model.trail import Step, StepName
from wunder.store.clean import from_json

DELIVERY_COLUMNS = """delivery_id, message_id, root_message_id, account_uid, channel, account_id, peer_kind,
  peer_id, thread_id, state, receipt, attempts, retries_used, part, reply_ordinal, provider_message_id,
  error_kind, error, retry_at, expires_at, created_at, settled_at, replays, plugin_id, version,
  coalesce((SELECT substr(said.text, 1, 120) FROM channel_messages said
    WHERE said.message_id = channel_outbox.message_id), ''), successor_id, predecessor_id"""
ATTEMPTS = """
SELECT delivery_id, attempt_no, part, started_at, settled_at, outcome, error_kind, error, provider_code,
  provider_message_id, raw_result, took_ms, plugin_id, version, account_uid, account_id
FROM channel_attempts WHERE delivery_id = ? ORDER BY attempt_no
"""
TRAIL = """
SELECT message_id, step, at, plugin_id, version, account_uid, account_id, delivery_id, attempt_no, detail,
  more
FROM channel_trail
WHERE message_id = coalesce((SELECT in_reply_to FROM channel_messages WHERE message_id = ?1), ?1)
ORDER BY step_no
"""


def steps_of(row: tuple[Any, ...]) -> list[Step]:
    """Read TRAIL: the steps that one unit of work wrote."""
    first = [row[0], _known(StepName, row[1]), *row[2:9], from_json(row[9])]
    others = ([row[0], _known(StepName, one[0]), *one[1:]] for one in from_json(row[10]))
    return [Step(*values) for values in (first, *others)]


def delivery_of(row: tuple[Any, ...]) -> StoredDelivery:
    """Read DELIVERY_COLUMNS."""
    values = list(row)
    values[9] = _known(DeliveryState, row[9])
    return StoredDelivery(*values)


def _known(kind: type[StrEnum], value: str) -> str:
    """The member of this name; a word of a later version as it is: it is shown, and nothing else."""
    try:
        return kind(value)
    except ValueError:
        return value


def attempt_of(row: tuple[Any, ...]) -> StoredAttempt:
    """Read ATTEMPTS."""
    values = [attempt_id(row[0], row[1]), *row]
    values[11] = None if row[10] is None else from_json(row[10])
    return StoredAttempt(*values)


def session_of(row: tuple[Any, ...]) -> Session:
    """Read a session, its columns in the order of the class."""
    return Session(
        session_id=row[0],
        conversation=Conversation(row[1], row[2], row[3], row[4]),
        channel=row[5],
        account_id=row[6],
        agent_id=row[7],
        peer_name=row[8],
        created_at=At(row[9]),
        last_message_at=At(row[10]),
        message_count=row[11],
    )
