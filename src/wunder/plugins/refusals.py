"""Why a package is refused: one stable code each, what happened, and what to do about it."""

from enum import StrEnum

from wunder.errors import PackageRefused

SHOWN_CHARACTERS = 120


class Reason(StrEnum):
    """The stable code of a refusal: what API, CLI, log and tests speak of."""

    NOT_A_ZIP = "not_a_zip"
    TOO_LARGE = "too_large"
    SHA256_MISMATCH = "sha256_mismatch"
    EXTRA_BYTES = "extra_bytes"
    COMMENT = "comment"
    ZIP64 = "zip64"
    SPLIT_ARCHIVE = "split_archive"
    ENTRY_OVERLAP = "entry_overlap"
    HEADERS_DISAGREE = "headers_disagree"
    ENCRYPTED = "encrypted"
    COMPRESSION = "compression"
    TOO_MANY_ENTRIES = "too_many_entries"
    UNPACKED_TOO_LARGE = "unpacked_too_large"
    RATIO = "ratio"
    DAMAGED = "damaged"
    NAME_ENCODING = "name_encoding"
    NAME_TRAVERSAL = "name_traversal"
    NAME_ABSOLUTE = "name_absolute"
    NAME_BACKSLASH = "name_backslash"
    NAME_DRIVE = "name_drive"
    NAME_CONTROL = "name_control"
    NAME_EMPTY_PART = "name_empty_part"
    NAME_TRAILING = "name_trailing"
    NAME_NOT_PORTABLE = "name_not_portable"
    NAME_TOO_LONG = "name_too_long"
    NAME_DUPLICATE = "name_duplicate"
    NAME_COLLISION = "name_collision"
    SPECIAL_FILE = "special_file"
    SETUID = "setuid"
    PYTHON_HOOK = "python_hook"
    MANIFEST_MISSING = "manifest_missing"
    MANIFEST_INVALID = "manifest_invalid"
    SCHEMA_INVALID = "schema_invalid"
    SIGNATURE_REQUIRED = "signature_required"


#: What happened, and what to do. Shown to the person who uploads, and listed in the operator guide.
WORDS: dict[Reason, tuple[str, str]] = {
    Reason.NOT_A_ZIP: (
        "this is not a zip, or it was cut short",
        "upload the file that `wunder plugin pack` wrote, whole",
    ),
    Reason.TOO_LARGE: (
        "the package is larger than 64 MiB",
        "leave out what the plugin does not need to run",
    ),
    Reason.SHA256_MISMATCH: (
        "the package does not have the sha256 that was given",
        "download it again, or compare with the publisher's sha256",
    ),
    Reason.EXTRA_BYTES: (
        "the zip has bytes that belong to no entry",
        "pack it again with `wunder plugin pack`; nothing may precede, follow or hide between entries",
    ),
    Reason.COMMENT: ("the zip carries a comment", "pack it again without comments"),
    Reason.ZIP64: ("the zip uses zip64 structures", "pack it again; no package needs them"),
    Reason.SPLIT_ARCHIVE: ("the zip is one part of several", "pack it again as one file"),
    Reason.ENTRY_OVERLAP: ("two entries share bytes", "pack it again with `wunder plugin pack`"),
    Reason.HEADERS_DISAGREE: (
        "the entry is described in two ways that differ",
        "pack it again with `wunder plugin pack`",
    ),
    Reason.ENCRYPTED: ("the entry is encrypted", "pack it again without a password"),
    Reason.COMPRESSION: (
        "the entry is compressed in a way other than stored or deflate",
        "pack it again with plain zip compression",
    ),
    Reason.TOO_MANY_ENTRIES: (
        "the zip has more than 2,000 entries",
        "leave out tests and unused parts of vendored libraries",
    ),
    Reason.UNPACKED_TOO_LARGE: (
        "unpacked, the package is larger than 256 MiB",
        "leave out what the plugin does not need to run",
    ),
    Reason.RATIO: (
        "it unpacks to more than 100 times its packed size",
        "store such files uncompressed, or make them smaller",
    ),
    Reason.DAMAGED: (
        "the entry's content does not match its size or checksum",
        "upload the file again; if that fails too, pack it again",
    ),
    Reason.NAME_ENCODING: ("the entry's name is not marked UTF-8", "use ASCII or UTF-8 names"),
    Reason.NAME_TRAVERSAL: ("the entry's name leads out of the package", "remove `..` from it"),
    Reason.NAME_ABSOLUTE: ("the entry's name is absolute", "use names relative to the package"),
    Reason.NAME_BACKSLASH: ("the entry's name has a backslash", "separate folders with `/`"),
    Reason.NAME_DRIVE: ("the entry's name has a colon", "remove drive letters and stream names"),
    Reason.NAME_CONTROL: ("the entry's name has an invisible character", "rename the file"),
    Reason.NAME_EMPTY_PART: ("the entry's name has an empty part", "remove `//` and `.` from it"),
    Reason.NAME_TRAILING: ("a part of the name ends in a dot or space", "rename the file"),
    Reason.NAME_NOT_PORTABLE: ("the name cannot exist on every system", "rename the file"),
    Reason.NAME_TOO_LONG: ("the entry's name is too long", "use shorter names"),
    Reason.NAME_DUPLICATE: ("two entries have this name", "pack it again with one of them"),
    Reason.NAME_COLLISION: (
        "two names are the same on some systems",
        "rename one: they differ only by case or Unicode form, or one is the other's folder",
    ),
    Reason.SPECIAL_FILE: ("the entry is a link or a special file", "pack the file it points to"),
    Reason.SETUID: (
        "the entry has setuid, setgid or sticky set",
        "clear these bits and pack again",
    ),
    Reason.PYTHON_HOOK: (
        "the entry is one that Python would run or trust unseen",
        "leave out .pyc, __pycache__, .pth, sitecustomize and usercustomize",
    ),
    Reason.MANIFEST_MISSING: ("there is no plugin.json at the top", "pack the plugin's own folder"),
    Reason.MANIFEST_INVALID: ("plugin.json has faults", "correct each of them; all are listed"),
    Reason.SCHEMA_INVALID: (
        "schemas/account.schema.json has faults",
        "correct each of them; all are listed",
    ),
    Reason.SIGNATURE_REQUIRED: (
        "this gateway takes signed packages only",
        "ask the publisher for a signed package",
    ),
}


def refusal(reason: Reason, entry: str | bytes | None = None, what: str = "") -> PackageRefused:
    """Make the error for a refused package; the entry is named with its odd characters escaped.

    Args:
        reason: The code.
        entry: The name of the entry at fault.
        what: More about this case: numbers, never content.
    """
    happened, remedy = WORDS[reason]
    named = f"{shown(entry)}: " if entry is not None else ""
    more = f" ({what})" if what else ""
    return PackageRefused(reason.value, f"{named}{happened}{more}; {remedy}")


def shown(name: str | bytes) -> str:
    """Return a name for people: ASCII, control characters escaped, cut when long."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    escaped = ascii(text)
    if len(escaped) <= SHOWN_CHARACTERS:
        return escaped
    return f"{escaped[:SHOWN_CHARACTERS]}...{escaped[0]}"
