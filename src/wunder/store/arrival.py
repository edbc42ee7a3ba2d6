"""What is written and told of a message that was taken in, and kept of one that could not be."""

from typing import Any

import msgspec

from wunder.model.ids import At, SessionId, TurnId
from wunder.model.intake import AccountIntake, IntakeUnit, NewMessage
from wunder.model.message import InboundMessage, MessageState
from wunder.model.trail import Event, Step, StepName
from wunder.model.turn import ClaimedTurn
from wunder.store.clean import to_json
from wunder.store.message_rows import inbound_row
from wunder.store.place import Place
from wunder.store.quarantine import Context


def kept_of(new: NewMessage, state: MessageState) -> InboundMessage:
    """The message as it is stored: without its body where it was refused."""
    message = new.message
    if state is not MessageState.REFUSED:
        return message
    bare = msgspec.structs.replace(message.content, text="", attachments=(), location=None)
    return msgspec.structs.replace(message, content=bare, meta={})


def arrival_row(
    unit: IntakeUnit,
    part: AccountIntake,
    new: NewMessage,
    state: MessageState,
    place: Place | None,
    turn: tuple[TurnId, int],
) -> tuple[Any, ...]:
    """The columns of a message that was taken in; `turn`: its first one's id, the epoch of who claims it."""
    message = kept_of(new, state)
    is_claimed = state is MessageState.ANSWERING
    turn_id, epoch = turn
    return (
        *inbound_row(message),
        str(state),
        new.reason,
        place.lane_id if place else None,
        place.first_seq if place else None,
        place.fence if place and is_claimed else 0,
        int(is_claimed),
        epoch if is_claimed else 0,
        unit.at if is_claimed else None,
        turn_id,
        unit.request_id,
        part.release.plugin_id,
        part.release.version,
        message.sent_at,
        message.received_at,
        unit.at,
        new.inline_until,
        "in",
    )


def born_claimed(
    turn_id: TurnId,
    message: InboundMessage,
    place: Place,
    session: tuple[SessionId | None, int],
    inline_until: At | None,
) -> ClaimedTurn:
    """The turn of a message that was born `answering`; `session`: the current one, and its lines."""
    session_id, said = session
    return ClaimedTurn(
        turn_id,
        message,
        place.fence,
        1,
        is_alone=False,
        session_id=session_id,
        inline_until=inline_until,
        lane_id=place.lane_id,
        said=said,
    )


def set_aside_as(unit: IntakeUnit, new: NewMessage | None, original: str = "") -> Context:
    """What an item of the quarantine keeps beside its content; `original` is whom it collided with."""
    return {
        "dedupe_key": new.dedupe_key if new else None,
        "message_id": original or (new.message.message_id if new else ""),
        "received_at": unit.received_at,
        "at": unit.at,
    }


def arrival_steps(
    unit: IntakeUnit, part: AccountIntake, new: NewMessage, state: MessageState
) -> list[Step]:
    """The first steps of a message."""
    given = (part.release.plugin_id, part.release.version, part.account_uid, part.account_id)
    message_id = new.message.message_id
    steps = [
        Step(message_id, StepName.RECEIVED, unit.received_at, *given),
        Step(message_id, StepName.PARSED, unit.parsed_at, *given),
        Step(message_id, StepName.ACCEPTED, unit.at, *given),
    ]
    if state not in (MessageState.RECEIVED, MessageState.ANSWERING):
        detail = {"state": str(state), "reason": new.reason}
        steps.append(Step(message_id, StepName.NOT_ANSWERED, unit.at, *given, detail=detail))
    return steps


def message_as_bytes(new: NewMessage) -> bytes:
    """A message as JSON; nothing where it is none."""
    try:
        return to_json(new.message).encode()
    except (TypeError, ValueError):
        return b""


def collision(unit: IntakeUnit, part: AccountIntake, new: NewMessage, original: str) -> Event:
    """Another content came under the key of a message that was taken in before."""
    return Event(
        name="message_collided",
        at=unit.at,
        level="error",
        plugin_id=part.release.plugin_id,
        version=part.release.version,
        account_uid=part.account_uid,
        account_id=part.account_id,
        message_id=original,
        fields={"platform_message_id": new.message.platform_message_id},
    )
