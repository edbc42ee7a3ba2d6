"""The identities: what each id names, how derived ids are made, and the dedupe key."""

import hashlib
import uuid
from typing import NewType

#: Unix milliseconds, UTC. Columns and fields of this type end in `_at`.
At = NewType("At", int)

ChannelId = NewType("ChannelId", str)  # the provider id, which is the plugin_id
AccountUid = NewType("AccountUid", str)  # random and immutable; everything refers to it
AccountId = NewType("AccountId", str)  # the label of an account, unique per channel
PluginId = NewType("PluginId", str)
MessageId = NewType("MessageId", str)  # ours (uuid), inbound and outbound
PlatformMessageId = NewType("PlatformMessageId", str)  # the platform's stable id
TurnId = NewType("TurnId", str)
SessionId = NewType("SessionId", str)
DeliveryId = NewType("DeliveryId", str)
AttemptId = NewType("AttemptId", str)
BindingId = NewType("BindingId", str)
AgentId = NewType("AgentId", str)
RequestId = NewType("RequestId", str)  # one webhook request
TokenId = NewType("TokenId", str)

MAX_PLATFORM_ID_BYTES = 256


def new_id() -> str:
    """Make a random id (uuid4, 32 hex digits)."""
    return uuid.uuid4().hex


def derived_id(parent: str, role: str, ordinal: int = 0) -> str:
    """Make the id of a child, fixed before the first try: re-running a transaction is a no-op.

    Args:
        parent: an id of ours, 32 hex digits.
        role: what the child is to its parent, such as `turn` or `delivery`.
        ordinal: which child of that role.
    """
    return uuid.uuid5(uuid.UUID(parent), f"{role}:{ordinal}").hex


def dedupe_key(conversation: tuple[str, str, str, str], event_class: str, message_id: str) -> bytes:
    """Return the 32 bytes that name one platform event: SHA-256 over length-prefixed parts.

    Args:
        conversation: account_uid, peer_kind, peer_id, thread_id.
        event_class: `message` or `event`: a recall of a message is not a repeat of it.
        message_id: the platform's stable id.
    """
    digest = hashlib.sha256()
    for part in (*conversation, event_class, message_id):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
