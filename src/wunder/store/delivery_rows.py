"""Rows of `channel_outbox` and `channel_attempts`, and what is made of them: the same on both engines."""

from typing import Any, NamedTuple

import msgspec

from wunder.model.delivery import ClaimedDelivery, DeliveryState, ReleaseRef, SendGrant
from wunder.model.ids import At, DeliveryId, MessageId, PluginId, attempt_id
from wunder.model.message import OutboundMessage
from wunder.model.trail import Step, StepName
from wunder.store.clean import from_json
from wunder.store.message_rows import OUTBOUND_WIDTH, outbound_of

#: The columns of `Head`, in order.
HEAD_COLUMNS = """o.delivery_id, o.root_message_id, o.attempts, o.retries_used, o.collisions, o.part,
  o.part_state, o.reply_ordinal, o.had_unknown, o.first_sending_at, o.created_at, o.expires_at,
  o.begun_plugin_id, o.begun_version, o.state, o.lane_id"""


class Head(NamedTuple):
    """What a claim needs of a delivery, beside its message."""

    delivery_id: DeliveryId
    root_message_id: MessageId | None
    attempts: int
    retries_used: int
    collisions: int
    part: int
    part_state: str | None
    reply_ordinal: int
    had_unknown: int
    first_sending_at: At | None
    created_at: At
    expires_at: At
    begun_plugin_id: str | None
    begun_version: str | None
    state: str
    lane_id: int


class SendFacts(msgspec.Struct, frozen=True):
    """What is stored of a grant with each mark: who writes the frame, and what the platform recognises."""

    release: ReleaseRef
    idem_window_ms: int
    idem_covers: str


class NewDelivery(msgspec.Struct, frozen=True):
    """A delivery about to be queued, with its place."""

    delivery_id: DeliveryId
    message: OutboundMessage
    root_message_id: MessageId | None
    reply_ordinal: int
    lane_id: int
    lane_seq: int
    at: At
    expires_at: At
    idempotency_key: str = ""
    release: ReleaseRef | None = None
    not_before: At | None = None  # so long it waits for a webhook that can carry it


def facts_of(grant: SendGrant) -> SendFacts:
    """Read a grant; a window of None seconds is 0."""
    window_ms = (grant.idempotency_window_s or 0) * 1000
    return SendFacts(grant.release, window_ms, grant.idempotency_applies_to)


def parse_attempt_id(attempt_id: str) -> tuple[str, int] | None:
    """The delivery and number that an attempt's id names; None when it is none of ours."""
    delivery_id, _, number = attempt_id.rpartition(".")
    return (delivery_id, int(number)) if delivery_id and number.isdecimal() else None


def outbox_row(
    new: NewDelivery, facts: SendFacts | None, fence: int, epoch: int
) -> tuple[Any, ...]:
    """The columns of a delivery that is queued, or with `facts` born `sending` under `fence`."""
    message = new.message
    return (
        new.delivery_id,
        message.message_id,
        new.root_message_id,
        *message.conversation.key,
        message.channel,
        message.account_id,
        str(born_as(facts)),
        new.lane_id,
        new.lane_seq,
        fence if facts else 0,
        epoch if facts else 0,
        1 if facts else 0,
        new.reply_ordinal,
        new.at if facts else None,
        facts.idem_window_ms if facts else 0,
        facts.idem_covers if facts else "all",
        new.expires_at,
        new.at,
        new.idempotency_key,
        facts.release.plugin_id if facts else "",
        facts.release.version if facts else "",
        new.not_before,
    )


def born_as(facts: SendFacts | None) -> DeliveryState:
    """The state of a new delivery: it waits, unless it was granted a slot."""
    return DeliveryState.SENDING if facts else DeliveryState.PENDING


def head_born(new: NewDelivery) -> Head:
    """The head that a delivery is which was born `sending`, before its first attempt."""
    return Head(
        delivery_id=new.delivery_id,
        root_message_id=new.root_message_id,
        attempts=0,
        retries_used=0,
        collisions=0,
        part=0,
        part_state=None,
        reply_ordinal=new.reply_ordinal,
        had_unknown=0,
        first_sending_at=new.at,
        created_at=new.at,
        expires_at=new.expires_at,
        begun_plugin_id=None,
        begun_version=None,
        state=DeliveryState.SENDING,
        lane_id=new.lane_id,
    )


def mark_row(head: Head, facts: SendFacts, fence: int, epoch: int, now: At) -> tuple[Any, ...]:
    """What a mark writes on the delivery (T3)."""
    return (
        fence,
        epoch,
        now,
        facts.idem_window_ms,
        facts.idem_covers,
        facts.release.plugin_id,
        facts.release.version,
        head.delivery_id,
    )


def attempt_row(
    head: Head, message: OutboundMessage, release: ReleaseRef, now: At, fence: int
) -> tuple[Any, ...]:
    """The columns of the attempt that follows `head`."""
    return (
        head.delivery_id,
        head.attempts + 1,
        head.part,
        now,
        release.plugin_id,
        release.version,
        message.conversation.account_uid,
        message.account_id,
        fence,
    )


def claimed(
    head: Head, message: OutboundMessage, release: ReleaseRef, now: At, fence: int, epoch: int
) -> ClaimedDelivery:
    """What is handed to who sends; `head` is as before this attempt."""
    attempt_no = head.attempts + 1
    begun_by = (
        ReleaseRef(PluginId(head.begun_plugin_id), head.begun_version or "")
        if head.begun_plugin_id is not None
        else None
    )
    return ClaimedDelivery(
        delivery_id=head.delivery_id,
        attempt_id=attempt_id(head.delivery_id, attempt_no),
        attempt_no=attempt_no,
        fence=fence,
        message=message,
        root_message_id=head.root_message_id,
        reply_ordinal=head.reply_ordinal,
        part=head.part,
        part_state=None if head.part_state is None else from_json(head.part_state),
        retries_used=head.retries_used,
        collisions=head.collisions,
        first_sending_at=head.first_sending_at if head.first_sending_at is not None else now,
        queued_at=head.created_at,
        expires_at=head.expires_at,
        release=release,
        begun_by=begun_by,
        had_unknown=bool(head.had_unknown),
        epoch=epoch,
        lane_id=head.lane_id,
    )


def head_and_message(row: tuple[Any, ...] | None) -> tuple[Head, OutboundMessage] | None:
    """Read HEAD_COLUMNS, then OUTBOUND_COLUMNS."""
    if row is None:
        return None
    return Head._make(row[:-OUTBOUND_WIDTH]), outbound_of(row[-OUTBOUND_WIDTH:])


def queued_step(new: NewDelivery) -> Step:
    """The step of a delivery that was queued."""
    message = new.message
    return Step(
        message_id=new.root_message_id or message.message_id,
        step=StepName.QUEUED,
        at=new.at,
        plugin_id=new.release.plugin_id if new.release else "",
        version=new.release.version if new.release else "",
        account_uid=message.conversation.account_uid,
        account_id=message.account_id,
        delivery_id=new.delivery_id,
    )


def sending_step(head: Head, message: OutboundMessage, release: ReleaseRef, at: At) -> Step:
    """The step of an attempt that was marked."""
    return Step(
        message_id=head.root_message_id or message.message_id,
        step=StepName.SENDING,
        at=at,
        plugin_id=release.plugin_id,
        version=release.version,
        account_uid=message.conversation.account_uid,
        account_id=message.account_id,
        delivery_id=head.delivery_id,
        attempt_no=head.attempts + 1,
    )
