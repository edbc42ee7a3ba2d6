"""What an agent asks of a platform besides words: a template, a reaction. One line of its Markdown each."""

import re
from dataclasses import dataclass

#: `[Order ready](template:order_ready/zh_CN "Ming|42")`, alone on its line.
_TEMPLATE = re.compile(
    r"^[ \t]*\[[^\[\]\n]{0,200}\]\(template:(?P<name>[A-Za-z0-9_.-]{1,512})(?:/(?P<language>[A-Za-z_]{2,12}))?"
    r"(?:[ \t]+\"(?P<parameters>[^\"\n]{0,4000})\")?\)[ \t]*$",
    re.MULTILINE,
)
#: `[👍](react:)`, alone on its line.
_REACTION = re.compile(r"^[ \t]*\[(?P<emoji>[^\[\]\n]{1,32})\]\(react:\)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """A message that the platform approved before, with what fills its gaps, in order."""

    name: str
    language: str = ""
    parameters: tuple[str, ...] = ()


def take_template(markdown: str) -> tuple[str, Template | None]:
    """Return the text without its first template, and the template."""
    found = _TEMPLATE.search(markdown) if "](template:" in markdown else None
    if found is None:
        return markdown, None
    given = found["parameters"]
    parameters = tuple(one.strip() for one in given.split("|")) if given else ()
    template = Template(found["name"], found["language"] or "", parameters)
    return _without(markdown, found), template


def take_reaction(markdown: str) -> tuple[str, str]:
    """Return the text without its first reaction, and the emoji, "" where there is none."""
    found = _REACTION.search(markdown) if "](react:)" in markdown else None
    if found is None:
        return markdown, ""
    return _without(markdown, found), found["emoji"].strip()


def _without(markdown: str, found: re.Match[str]) -> str:
    before, after = markdown[: found.start()].rstrip(), markdown[found.end() :].lstrip("\n")
    return "\n\n".join(filter(None, (before, after))).strip()
