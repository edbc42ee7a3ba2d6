"""The steps of the schema, in order: one file each, in SQLite's words."""

import re
from importlib import resources

import msgspec

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class Migration(msgspec.Struct, frozen=True):
    """One step: its number, its statements, and what it is called."""

    number: int
    sql: str
    name: str = ""


def migrations() -> list[Migration]:
    """Read the steps that came with this program, in order."""
    folder = resources.files("wunder.store") / "migrations"
    return sorted(
        (
            Migration(int(match[1]), file.read_text("utf-8"), match[2])
            for file in folder.iterdir()
            if (match := _NAME.fullmatch(file.name))
        ),
        key=lambda step: step.number,
    )
