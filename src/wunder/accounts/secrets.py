"""Writing and showing secrets: absent = keep, null = clear, {"set": true} = keep (rule 6; pure).

Secrets are kept as a document of their own, in the nesting of the whole: objects hold only their secret
fields, arrays keep their length with null where an item has no secret.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from wunder.accounts.pointer import Path, pointer
from wunder.accounts.schema import Nodes, SchemaView, is_secret
from wunder.errors import FieldFault

#: What stands for a secret in everything that leaves the gateway, and what keeps it when it returns.
SET = {"set": True}
NOTHING = msgspec.UNSET


class Merged(msgspec.Struct, frozen=True):
    """A configuration after a write: what may be shown, what may not, and what is wrong with it."""

    public: dict[str, Any]
    secrets: dict[str, Any]
    faults: tuple[FieldFault, ...]

    @property
    def whole(self) -> dict[str, Any]:
        """Both together, as the provider reads it."""
        both: dict[str, Any] = overlay(self.public, self.secrets)
        return both


def overlay(public: Any, secrets: Any) -> Any:
    """Lay secrets over the rest, as the SDK does: objects merge, arrays of equal length too."""
    if isinstance(public, dict) and isinstance(secrets, dict):
        both = {**public}
        for name, part in secrets.items():
            both[name] = overlay(public.get(name), part)
        return both
    if isinstance(public, list) and isinstance(secrets, list) and len(public) == len(secrets):
        return [overlay(*pair) for pair in zip(public, secrets, strict=True)]
    return public if secrets is None else secrets


def split(schema: dict[str, Any] | None, document: dict[str, Any]) -> tuple[Any, Any]:
    """Return (public, secrets) of a whole document."""
    view = SchemaView(schema)
    public, secrets = _split(view, view.at_root(), document)
    return ({} if public is NOTHING else public), ({} if secrets is NOTHING else secrets)


def masked(
    schema: dict[str, Any] | None, public: dict[str, Any], secrets: dict[str, Any]
) -> dict[str, Any]:
    """Return the whole configuration with {"set": true} in place of every secret."""
    # A field that became secret with a newer schema still stands in `public`: split it again.
    shown, hidden = split(schema, public)
    view = SchemaView(schema)
    veil = _veiled(view, view.at_root(), overlay(hidden, secrets))
    whole: dict[str, Any] = overlay(shown, veil)
    return whole


def merge(
    schema: dict[str, Any] | None,
    given: Any,
    old_public: dict[str, Any] | None = None,
    old_secrets: dict[str, Any] | None = None,
) -> Merged:
    """Apply a write of the whole configuration to what is stored; `given` NOTHING keeps all of it.

    Faults: `secret_not_set` where {"set": true} names a secret that is not there;
    `secret_needed_again` for each secret that would be kept although where secrets go has changed.
    """
    view = SchemaView(schema)
    writing = _Writing(view)
    shown, hidden = split(schema, old_public or {})
    shown, stored = view.with_defaults(shown), overlay(hidden, old_secrets or {})
    if given is not NOTHING:
        given = view.with_defaults(given)
    public, secrets = writing.write(view.at_root(), given, (shown, stored or NOTHING), ())
    if public is NOTHING:
        public = shown if given is NOTHING else {}
    secrets = {} if secrets is NOTHING else secrets
    if stored:
        writing.refuse_moved(overlay(shown, stored), overlay(public, secrets), stored)
    return Merged(public, secrets, tuple(writing.faults))


def patched(schema: dict[str, Any] | None, public: dict[str, Any], changes: Any) -> Any:
    """Return the whole write that a patch means (RFC 7396); null at a secret stays, to clear it."""
    view = SchemaView(schema)
    return _patched(view, view.at_root(), public, changes)


class _Writing:
    """One write: walks the given document beside the stored one."""

    def __init__(self, view: SchemaView) -> None:
        self.view = view
        self.faults: list[FieldFault] = []
        self._entered: list[Path] = []  # places of secrets that this write gives or clears

    def write(self, nodes: Nodes, given: Any, old: tuple[Any, Any], path: Path) -> tuple[Any, Any]:
        """Return (public, secrets) of one place; `old` is what both were there."""
        old_public, old_secrets = old
        if given is NOTHING:
            return NOTHING, old_secrets
        if is_secret(nodes):
            return NOTHING, self._write_secret(given, old_secrets, path)
        if isinstance(given, dict):
            return self._write_object(nodes, given, old, path)
        if isinstance(given, list):
            return self._write_array(nodes, given, (old_public, old_secrets), path)
        return given, NOTHING

    def refuse_moved(self, old: Any, new: Any, stored: Any) -> None:
        """Ask for every secret again when a field changed that decides where secrets go."""
        before, after = self.view.destinations(old), self.view.destinations(new)
        if all(before.get(path) == after.get(path) for path in before.keys() | after.keys()):
            return
        for path in secret_places(self.view, stored):
            if not any(path[: len(place)] == place for place in self._entered):
                self._ask_again(path)

    def _write_secret(self, given: Any, old: Any, path: Path) -> Any:
        if given == SET:
            if old is NOTHING:
                self._fault(path, "secret_not_set", "No secret is stored here: enter one.")
            return old
        self._entered.append(path)
        return NOTHING if given is None else given

    def _write_object(
        self, nodes: Nodes, given: dict[str, Any], old: tuple[Any, Any], path: Path
    ) -> tuple[Any, Any]:
        old_public, old_secrets = (part if isinstance(part, dict) else {} for part in old)
        public: dict[str, Any] = {}
        secrets: dict[str, Any] = {}
        for name in [*given, *(name for name in old_secrets if name not in given)]:
            shown, hidden = self.write(
                self.view.below(nodes, name),
                given.get(name, NOTHING),
                (old_public.get(name, NOTHING), old_secrets.get(name, NOTHING)),
                (*path, name),
            )
            if shown is not NOTHING:
                public[name] = shown
            if hidden is not NOTHING:
                secrets[name] = hidden
        return public, secrets or NOTHING

    def _write_array(
        self, nodes: Nodes, given: list[Any], old: tuple[Any, Any], path: Path
    ) -> tuple[Any, Any]:
        """Keep secrets by place only while nothing else in the array changed."""
        shown, _ = _split(self.view, nodes, given)
        old_secrets = old[1] if isinstance(old[1], list) else []
        is_same = shown == old[0]
        if not is_same:
            self._ask_for_items(nodes, given, old_secrets, path)
        public, secrets = [], []
        for place, part in enumerate(given):
            kept = old_secrets[place] if is_same and place < len(old_secrets) else None
            below = self.view.below(nodes, place)
            item = self.write(
                below, part, (NOTHING, NOTHING if kept is None else kept), (*path, place)
            )
            public.append(None if item[0] is NOTHING else item[0])
            secrets.append(None if item[1] is NOTHING else item[1])
        return public, (secrets if any(one is not None for one in secrets) else NOTHING)

    def _ask_for_items(
        self, nodes: Nodes, given: list[Any], old_secrets: list[Any], path: Path
    ) -> None:
        """Places shift in a changed array: whose secret would be kept cannot be known."""
        inner = {
            place[1:] for place in _places(self.view, nodes, old_secrets, ()) if len(place) > 0
        }
        for place, item in enumerate(given):
            for field in sorted(inner, key=str):
                if _value_at(item, field) in (NOTHING, SET):
                    self._ask_again((*path, place, *field))

    def _ask_again(self, path: Path) -> None:
        words = "Where secrets go has changed: enter this secret again, or clear it."
        self._fault(path, "secret_needed_again", words)

    def _fault(self, path: Path, code: str, words: str) -> None:
        if all(fault.pointer != pointer(path) for fault in self.faults):
            self.faults.append(FieldFault(pointer(path), code, words))


def secret_places(view: SchemaView, secrets: Any) -> Iterator[Path]:
    """Yield the path of each secret that is stored, whole where a whole object is one."""
    yield from _places(view, view.at_root(), secrets, ())


def _split(view: SchemaView, nodes: Nodes, value: Any) -> tuple[Any, Any]:
    if is_secret(nodes):
        return NOTHING, (NOTHING if value is None else value)
    if isinstance(value, dict):
        parts = {name: _split(view, view.below(nodes, name), part) for name, part in value.items()}
        public = {name: shown for name, (shown, _) in parts.items() if shown is not NOTHING}
        secrets = {name: hidden for name, (_, hidden) in parts.items() if hidden is not NOTHING}
        return public, secrets or NOTHING
    if isinstance(value, list):
        items = [_split(view, view.below(nodes, place), part) for place, part in enumerate(value)]
        shown_items = [None if shown is NOTHING else shown for shown, _ in items]
        hidden_items = [None if hidden is NOTHING else hidden for _, hidden in items]
        has_secrets = any(one is not None for one in hidden_items)
        return shown_items, (hidden_items if has_secrets else NOTHING)
    return value, NOTHING


def _veiled(view: SchemaView, nodes: Nodes, secrets: Any) -> Any:
    if is_secret(nodes):
        return dict(SET) if secrets not in (None, {}) else secrets
    if isinstance(secrets, dict):
        return {
            name: _veiled(view, view.below(nodes, name), part) for name, part in secrets.items()
        }
    if isinstance(secrets, list):
        return [_veiled(view, view.below(nodes, place), part) for place, part in enumerate(secrets)]
    return None if secrets is None else dict(SET)


def _value_at(value: Any, path: Path) -> Any:
    found = value
    for step in path:
        if isinstance(found, dict):
            found = found.get(str(step), NOTHING)
        elif isinstance(found, list) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return NOTHING
    return found


def _places(view: SchemaView, nodes: Nodes, secrets: Any, path: Path) -> Iterator[Path]:
    if secrets is None or secrets is NOTHING:
        return
    if isinstance(secrets, dict) and not is_secret(nodes):
        for name, part in secrets.items():
            yield from _places(view, view.below(nodes, name), part, (*path, name))
    elif isinstance(secrets, list) and not is_secret(nodes):
        for place, part in enumerate(secrets):
            yield from _places(view, view.below(nodes, place), part, (*path, place))
    else:
        yield path


def _patched(view: SchemaView, nodes: Nodes, public: Any, changes: Any) -> Any:
    if is_secret(nodes) or not isinstance(changes, dict):
        return changes
    whole = dict(public) if isinstance(public, dict) else {}
    for name, part in changes.items():
        below = view.below(nodes, name)
        if part is None and not is_secret(below):
            whole.pop(name, None)
        else:
            whole[name] = _patched(view, below, whole.get(name), part)
    return whole
