"""Steps of a unit of work share a row, and nothing of them is lost."""

from wunder.model.ids import At, MessageId
from wunder.model.trail import Step, StepName
from wunder.store.gathered import step_rows
from wunder.store.ledger_rows import steps_of


def step(message: str, name: StepName, at: int, **detail: object) -> Step:
    own = ("plugin", "1.0.0", "uid", "main", f"d-{message}", 2)
    return Step(MessageId(message), name, At(at), *own, detail=detail)


def read(steps: list[Step]) -> list[Step]:
    return [one for row in step_rows(steps) for one in steps_of(row)]


def test_steps_of_a_message_are_one_row_and_are_read_in_order() -> None:
    steps = [
        step("m1", StepName.RECEIVED, 1),
        step("m1", StepName.PARSED, 2, part=1),
        step("m1", StepName.ACCEPTED, 3, reason="你好"),
    ]
    assert len(step_rows(steps)) == 1
    assert read(steps) == steps


def test_messages_of_a_batch_keep_their_own_steps() -> None:
    first, second, third = (
        step("m1", StepName.RECEIVED, 1),
        step("m2", StepName.RECEIVED, 2),
        step("m1", StepName.ACCEPTED, 3),
    )
    assert read([first, second, third]) == [first, third, second]


def test_what_is_told_is_cleaned_and_what_is_no_json_fails_nobody() -> None:
    told = read(
        [
            step("m1", StepName.RECEIVED, 1),
            step("m1", StepName.FAILED, 2, reason="a\x00b\ud800"),
            step("m1", StepName.FAILED, 3, reason=object()),
        ]
    )
    assert told[1].detail == {"reason": "a\ufffdb\ufffd"}
    assert told[2].detail == {"not_json": ["reason"]}
