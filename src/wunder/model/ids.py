"""The identities: what each id names, how derived ids are made, and the dedupe key."""

import hashlib
import random
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
BlobId = NewType("BlobId", str)  # a stored attachment

MAX_PLATFORM_ID_BYTES = 256
#: Of what names a peer, a thread or a person: two of them are in an index row, of which PostgreSQL takes 2,704 bytes.
MAX_NAMED_BYTES = 1_024
#: Characters kept of the id that a platform gives to what was sent.
MAX_PROVIDER_MESSAGE_ID = 512
#: The leading hex digits of an id that its children keep: 48 bits, a time where `ordered_id` made it.
_PREFIX = 12
#: Seeded by the system once a process: asking it for each id lets another thread take the turn.
_random = random.Random()  # noqa: S311 - ids are no secrets


def new_id() -> str:
    """Make a random id (uuid4, 32 hex digits)."""
    return uuid.uuid4().hex


def ordered_id(at: At) -> str:
    """Make an id whose neighbours in time are its neighbours in an index; 80 bits are random.

    Rows made together then share index pages, and a commit writes fewer of them (20 % of the store's
    time a message, measured); ids mean nothing else by it. Not for secrets.
    """
    return f"{at & 0xFFFF_FFFF_FFFF:0{_PREFIX}x}{_random.getrandbits(80):020x}"


def derived_id(parent: str, role: str, ordinal: int = 0) -> str:
    """Make the id of a child, fixed before the first try: re-running a transaction is a no-op.

    It begins as its parent does, so that both lie near each other in an index.

    Args:
        parent: an id of ours, 32 hex digits.
        role: what the child is to its parent, such as `turn` or `delivery`.
        ordinal: which child of that role.
    """
    digest = hashlib.blake2b(f"{parent}:{role}:{ordinal}".encode(), digest_size=10)
    return parent[:_PREFIX] + digest.hexdigest()


def attempt_id(delivery_id: DeliveryId, attempt_no: int) -> AttemptId:
    """Make the id of a delivery's n-th attempt, from 1."""
    return AttemptId(f"{delivery_id}.{attempt_no}")


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
