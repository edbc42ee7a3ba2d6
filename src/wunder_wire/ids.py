"""The one pattern for plugin ids, account labels and versions (security rule 15)."""

import re

PLUGIN_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{1,63}\Z")
SEMVER = re.compile(
    r"(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})"
    r"(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?\Z",
    re.ASCII,
)


def version_key(version: str) -> tuple[object, ...]:
    """Return a sort key that orders versions as SemVer 2.0.0 section 11 does.

    Raises:
        ValueError: `version` is not SemVer.
    """
    match = SEMVER.match(version)
    if match is None:
        raise ValueError(f"{version!r} is not a SemVer version such as 1.4.0 or 1.4.0-rc.1")
    major, minor, patch, pre, _build = match.groups()
    core = (int(major), int(minor), int(patch))
    if pre is None:
        return (*core, 1, ())
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split("."))
    return (*core, 0, parts)
