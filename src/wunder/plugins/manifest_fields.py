"""Reads fields of a manifest one by one and keeps every fault, so that all are told at once."""

import unicodedata
from typing import Any

from wunder.errors import FieldFault
from wunder.plugins.strict_json import pointer
from wunder.plugins.views import Finding

_KIND_NAMES = {dict: "an object", list: "an array", str: "text", bool: "true or false"}


class Fields:
    """One object of the manifest, at one place; faults and findings go to shared lists."""

    def __init__(
        self, value: dict[str, Any], at: str, faults: list[FieldFault], findings: list[Finding]
    ) -> None:
        self.value = value
        self.at = at
        self._faults = faults
        self._findings = findings

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def fault(self, key: str | None, code: str, message: str) -> None:
        """Note what is wrong with a member, or with the object itself (None)."""
        place = self.at if key is None else pointer(self.at, key)
        self._faults.append(FieldFault(place, code, message))

    def warn(self, key: str, code: str, message: str) -> None:
        """Note what an administrator should know of a member."""
        self._findings.append(Finding(code, message, pointer(self.at, key)))

    def section(self, key: str, known: tuple[str, ...], *, is_strict: bool = False) -> "Fields":
        """Return a member that is an object; an empty one where it is absent or wrong.

        Args:
            key: The member.
            known: Its fields; others are a fault where `is_strict`, else a finding.
            is_strict: For what cannot be ignored: a permission nobody enforces.
        """
        value = self._typed(key, dict)
        inner = Fields(value or {}, pointer(self.at, key), self._faults, self._findings)
        for name in inner.value:
            if name in known:
                continue
            message = f"this gateway knows {', '.join(known)} here"
            if is_strict:
                inner.fault(name, "unknown_field", message)
            else:
                inner.warn(name, "unknown_field", message)
        return inner

    def mapping(self, key: str) -> "Fields":
        """Return a member that is an object with names of its own."""
        value = self._typed(key, dict)
        return Fields(value or {}, pointer(self.at, key), self._faults, self._findings)

    def text(self, key: str, *, at_most: int, is_required: bool = False) -> str | None:
        """Return a member that is text of 1 to `at_most` visible characters."""
        value: str | None = self._typed(key, str, is_required=is_required)
        if value is None:
            return None
        if not 1 <= len(value) <= at_most:
            self.fault(key, "length", f"1 to {at_most} characters")
            return None
        if any(unicodedata.category(character) in ("Cc", "Cf") for character in value):
            self.fault(key, "control_character", "without control or invisible characters")
            return None
        return value

    def raw_text(self, key: str, *, at_most_bytes: int) -> str | None:
        """Return a member that is any text of at most so many bytes as UTF-8."""
        value: str | None = self._typed(key, str)
        if value is not None and len(value.encode()) > at_most_bytes:
            self.fault(key, "too_large", f"at most {at_most_bytes} bytes")
            return None
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """Return a member that is one of `allowed`."""
        value: str | None = self._typed(key, str)
        if value is not None and value not in allowed:
            self.fault(key, "not_allowed", f"one of {', '.join(allowed)}")
            return None
        return value

    def flag(self, key: str) -> bool | None:
        """Return a member that is true or false."""
        value: bool | None = self._typed(key, bool)
        return value

    def whole(self, key: str, least: int, most: int, *, is_required: bool = False) -> int | None:
        """Return a member that is a whole number in [least, most]."""
        value = self._number(key, least, most, is_required=is_required)
        if value is not None and not float(value).is_integer():
            self.fault(key, "type", "must be a whole number")
            return None
        return None if value is None else int(value)

    def number(self, key: str, above: float, most: float) -> float | None:
        """Return a member that is a number in (above, most]."""
        value = self._number(key, above, most)
        if value is not None and value <= above:
            self.fault(key, "range", f"more than {above:g}")
            return None
        return None if value is None else float(value)

    def items(self, key: str, *, at_most: int) -> "Fields":
        """Return a member that is an array; its items are fields named `0`, `1`, .."""
        value = self._typed(key, list) or []
        if len(value) > at_most:
            self.fault(key, "length", f"at most {at_most} items")
            value = []
        numbered = {str(position): item for position, item in enumerate(value)}
        return Fields(numbered, pointer(self.at, key), self._faults, self._findings)

    def distinct_texts(self, *, at_most: int) -> dict[str, str]:
        """Return every field that is text, by name; one that stands twice is a fault."""
        found: dict[str, str] = {}
        for key in self.value:
            text = self.text(key, at_most=at_most)
            if text is None:
                continue
            if text in found.values():
                self.fault(key, "duplicate", "stands twice")
            found[key] = text
        return found

    def _number(
        self, key: str, least: float, most: float, *, is_required: bool = False
    ) -> int | float | None:
        if key not in self.value:
            self._require(key, is_required=is_required)
            return None
        value = self.value[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(key, "type", "must be a number")
            return None
        if not least <= value <= most:
            self.fault(key, "range", f"{least:g} to {most:g}")
            return None
        return value

    def _typed(self, key: str, kind: type, *, is_required: bool = False) -> Any:
        if key not in self.value:
            self._require(key, is_required=is_required)
            return None
        value = self.value[key]
        if not isinstance(value, kind):
            self.fault(key, "type", f"must be {_KIND_NAMES[kind]}")
            return None
        return value

    def _require(self, key: str, *, is_required: bool) -> None:
        if is_required:
            self.fault(key, "required", "is missing")
