"""Steps of the schema only add: a node of the version before goes on while they run (ADR 0019, scaling)."""

import re

from wunder.store.postgres.migrations import steps

#: Takes something away from nodes that run, or makes what they write impossible.
CONTRACTS = re.compile(
    r"\bDROP (TABLE|COLUMN|SEQUENCE)\b|\bRENAME\b|\bALTER COLUMN \w+ (SET DATA )?TYPE\b"
    r"|\bSET NOT NULL\b|\bADD (CONSTRAINT|CHECK|UNIQUE|FOREIGN)\b",
    re.IGNORECASE,
)
#: Step -> why it may: what it takes away was not in use, or was replaced two releases before.
MAY_CONTRACT = {
    2: "nothing was ever written to the attachments of step 1",
    4: "nothing was ever written to the users of step 1",
}


def test_no_step_takes_away_what_a_node_of_the_version_before_needs() -> None:
    guilty = {step.number for step in steps() if CONTRACTS.search(step.sql)}
    assert guilty <= set(MAY_CONTRACT), "add beside it, and contract two releases later"


def test_a_column_that_is_added_has_a_default_for_those_who_do_not_know_it() -> None:
    added = [
        line
        for step in steps()
        for line in re.findall(r"ADD COLUMN ([^;]+);", step.sql, re.IGNORECASE)
    ]
    assert added
    assert not [line for line in added if "NOT NULL" in line and "DEFAULT" not in line]


def test_every_exception_is_still_one() -> None:
    by_number = {step.number: step.sql for step in steps()}
    assert all(CONTRACTS.search(by_number[number]) for number in MAY_CONTRACT)
