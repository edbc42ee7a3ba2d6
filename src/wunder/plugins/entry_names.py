"""Which names a package's entries may have: refused here, never repaired."""

import unicodedata
from collections.abc import Iterable

from wunder.plugins.refusals import Reason, refusal

NAME_BYTES, PART_BYTES = 512, 200
#: Control, format (bidirectional overrides, zero width), half characters, line separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NOT_ON_WINDOWS = frozenset('<>"|?*')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
)
#: Python runs these, or trusts them without reading the source (security rule 13).
_HOOK_MODULES = frozenset({"sitecustomize", "usercustomize"})
_HOOK_SUFFIXES = (".pyc", ".pyo", ".pth", "._pth")
_HOOK_NAMES = frozenset({"__pycache__", "pyvenv.cfg"})


def require_plain(name: str) -> None:
    """Refuse a name that is not a plain relative path of portable parts.

    Args:
        name: As it stands in the zip; a folder's ends in `/`.

    Raises: PackageRefused.
    """
    _require_plain_characters(name)
    if name.startswith("/"):
        raise refusal(Reason.NAME_ABSOLUTE, name)
    if len(name.encode()) > NAME_BYTES:
        raise refusal(Reason.NAME_TOO_LONG, name, f"at most {NAME_BYTES} bytes")
    for part in name.removesuffix("/").split("/"):
        _require_plain_part(part, name)


def require_distinct(names: Iterable[str]) -> None:
    """Refuse names that are equal, or would be on some file system, folder by folder.

    Raises: PackageRefused.
    """
    taken: dict[str, str] = {}  # folded path -> the path that took it
    files: set[str] = set()
    seen: set[str] = set()
    for name in names:
        path = name.removesuffix("/")
        if path in seen:
            raise refusal(Reason.NAME_DUPLICATE, name)
        seen.add(path)
        if not name.endswith("/"):
            files.add(path)
        for prefix in _prefixes(path):
            if taken.setdefault(_folded(prefix), prefix) != prefix:
                raise refusal(Reason.NAME_COLLISION, name)
    for path in seen:
        for folder in list(_prefixes(path))[:-1]:
            if folder in files:
                raise refusal(Reason.NAME_COLLISION, path)


def _require_plain_characters(name: str) -> None:
    if any(unicodedata.category(character) in _INVISIBLE for character in name):
        raise refusal(Reason.NAME_CONTROL, name)
    if "\\" in name:
        raise refusal(Reason.NAME_BACKSLASH, name)
    if ":" in name:
        raise refusal(Reason.NAME_DRIVE, name)
    if _NOT_ON_WINDOWS.intersection(name):
        raise refusal(Reason.NAME_NOT_PORTABLE, name)


def _require_plain_part(part: str, name: str) -> None:
    if part == "..":
        raise refusal(Reason.NAME_TRAVERSAL, name)
    if part in ("", "."):
        raise refusal(Reason.NAME_EMPTY_PART, name)
    if part[-1] in ". ":
        raise refusal(Reason.NAME_TRAILING, name)
    if len(part.encode()) > PART_BYTES:
        raise refusal(Reason.NAME_TOO_LONG, name, f"at most {PART_BYTES} bytes between slashes")
    folded = _folded(part)
    stem = folded.partition(".")[0].rstrip(" ")
    if stem in _DEVICES:
        raise refusal(Reason.NAME_NOT_PORTABLE, name, "the name of a device")
    if folded in _HOOK_NAMES or stem in _HOOK_MODULES or folded.endswith(_HOOK_SUFFIXES):
        raise refusal(Reason.PYTHON_HOOK, name)


def _prefixes(path: str) -> Iterable[str]:
    """Every folder above `path`, outermost first, then `path` itself."""
    at = path.find("/")
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path


def _folded(text: str) -> str:
    """Equal for names that any file system we know of could take for the same."""
    once = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", once)
