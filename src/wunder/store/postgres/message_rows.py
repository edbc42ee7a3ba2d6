"""Rows of `channel_messages` as arrays; what the rooms see of them is the same on both engines."""

from typing import Any

from wunder.model.message import InboundMessage
from wunder.store.message_rows import inbound_of
from wunder.store.postgres.statements import inserting

#: `inbound_row`, then what T1 knows.
INSERT_INBOUND = inserting(
    "channel_messages",
    "message_id text, account_uid text, peer_kind text, peer_id text, thread_id text, channel text,"
    " account_id text, peer_name text, thread_topic text, sender_id text, sender_name text,"
    " sender_is_bot int8, type text, text text, content text, meta text, platform_message_id text,"
    " state text, reason text, lane_id int8, lane_seq int8, fence int8, claims int8, epoch int8,"
    " claimed_at int8, turn_id text, request_id text, plugin_id text, version text, sent_at int8,"
    " received_at int8, created_at int8, inline_until int8, direction text",
)
#: `outbound_row`, then what T2 knows.
INSERT_OUTBOUND = inserting(
    "channel_messages",
    "message_id text, account_uid text, peer_kind text, peer_id text, thread_id text, channel text,"
    " account_id text, peer_name text, thread_topic text, format text, text text, content text,"
    " meta text, reply_to text, in_reply_to text, turn_id text, session_id text, session_seq int8,"
    " agent_id text, binding_id text, created_at int8, direction text",
)


def inbound_in(row: tuple[Any, ...]) -> InboundMessage:
    """The message as the table will hold it, from a cleaned row of INSERT_INBOUND."""
    return inbound_of((*row[0:5], *row[5:7], row[16], *row[9:16], row[29], row[30], *row[7:9]))
