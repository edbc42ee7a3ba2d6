"""What is told of a message that was taken in, and kept of one that could not be."""

from wunder.model.intake import AccountIntake, IntakeUnit, NewMessage
from wunder.model.message import MessageState
from wunder.model.trail import Step, StepName
from wunder.store.clean import to_json


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
        detail = {"state": state.value, "reason": new.reason}
        steps.append(Step(message_id, StepName.NOT_ANSWERED, unit.at, *given, detail=detail))
    return steps


def message_as_bytes(new: NewMessage) -> bytes:
    """A message as JSON; nothing where it is none."""
    try:
        return to_json(new.message).encode()
    except (TypeError, ValueError):
        return b""
