"""Answers a person can tap: an agent writes `[Yes](reply:yes)`, each platform shows what it has."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: `[title](reply:id "description")`, perhaps as an item of a list.
_CHOICE = re.compile(
    r"\[(?P<title>[^\[\]\n]{1,200})\]\(reply:(?P<id>[^()\s\"]{1,256})"
    r"(?:[ \t]+\"(?P<description>[^\"\n]{0,200})\")?\)"
)
_EMPTY_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,3}[.)])?[ \t]*\Z")
#: What a button carries back where the platform returns no title: `reply:yes Yes, please`.
_PRESSED = re.compile(r"reply:(?P<id>[^()\s\"]{1,256}) (?P<title>[^\n]{1,200})\Z")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to tap; `id` comes back with it."""

    id: str
    title: str
    description: str = ""

    @property
    def data(self) -> str:
        """What a button carries, for `pressed` to read."""
        return f"reply:{self.id} {self.title}"


def take_choices(markdown: str) -> tuple[str, tuple[Choice, ...]]:
    """Return the text without its choices, and the choices in order."""
    if "](reply:" not in markdown:
        return markdown, ()
    found: list[Choice] = []
    kept: list[str] = []
    for line in markdown.split("\n"):
        here = [
            Choice(one["id"], one["title"].strip(), (one["description"] or "").strip())
            for one in _CHOICE.finditer(line)
        ]
        left = _CHOICE.sub("", line) if here else line
        if not here or not _EMPTY_ITEM.match(left.replace("|", "").replace("/", "")):
            kept.append(left.rstrip() if here else line)
        found += here
    return ("\n".join(kept).strip(), tuple(found)) if found else (markdown, ())


def finished_part(markdown: str) -> str:
    """Return what may be shown of a text that is still being written.

    Nothing that its end may turn into something to tap: no choice, and no line that may become one.
    """
    at = markdown.find("](reply:")
    shown = markdown if at < 0 else markdown[: markdown.rfind("\n", 0, at) + 1]
    last_line = shown.rfind("\n") + 1
    if "[" in shown[last_line:]:
        shown = shown[:last_line]
    return shown.rstrip()


def as_lines(choices: Iterable[Choice]) -> str:
    """Return the choices as text, for where nothing can be tapped."""
    lines = [
        f"{number}. {one.title}" + (f" - {one.description}" if one.description else "")
        for number, one in enumerate(choices, 1)
    ]
    return "\n".join(lines)


def pressed(data: str) -> Choice | None:
    """Return the choice whose button carried `data`, None for any other button."""
    found = _PRESSED.match(data)
    return Choice(found["id"], found["title"]) if found else None


def are_distinct(choices: Iterable[Choice]) -> bool:
    """Say whether no two of them look or mean the same, and none is empty."""
    listed = list(choices)
    titles, ids = {one.title for one in listed}, {one.id for one in listed}
    return len(titles) == len(ids) == len(listed) and "" not in titles
