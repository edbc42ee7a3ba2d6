"""Checks configurations against their channel's schema, off the event loop, compiled once."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from wunder.accounts import lazy
from wunder.accounts.pointer import depth_within, leaves
from wunder.accounts.schema_rules import schema_faults
from wunder.errors import Conflict, FieldFault, Invalid


class Compiled(Protocol):
    """A schema ready to check documents; blocks."""

    def faults(self, document: Any) -> list[FieldFault]:
        """Return what is wrong with a document."""
        ...


class SchemaPolicy(msgspec.Struct, frozen=True):
    """Limits of a check. Choices: forms are small, and a check of one takes less than 10 ms."""

    limit_s: float = 2.0
    config_bytes: int = 65_536
    config_depth: int = 16
    config_values: int = 2_000
    kept_schemas: int = 64


class SchemaCheck:
    """Checks documents; keeps compiled schemas by their hash."""

    def __init__(
        self,
        policy: SchemaPolicy | None = None,
        compile_schema: Callable[[dict[str, Any]], Compiled] = lazy.compile_schema,
    ) -> None:
        self._policy = policy or SchemaPolicy()
        self._compile = compile_schema
        self._kept: OrderedDict[bytes, Compiled] = OrderedDict()

    def size_faults(self, document: Any) -> list[FieldFault]:
        """Return why a document is too large or holds what no store takes; pure and quick."""
        policy = self._policy
        if not depth_within(document, policy.config_depth):
            return [FieldFault("", "too_deep", f"At most {policy.config_depth} levels fit here.")]
        if len(msgspec.json.encode(document)) > policy.config_bytes:
            return [FieldFault("", "too_large", f"At most {policy.config_bytes} bytes fit here.")]
        values = list(leaves(document))
        if len(values) > policy.config_values:
            return [FieldFault("", "too_large", f"At most {policy.config_values} values fit here.")]
        if any(isinstance(value, str) and "\x00" in value for _, value in values):
            return [FieldFault("", "control_character", "NUL characters cannot be stored.")]
        return []

    async def faults(self, schema: dict[str, Any], document: Any) -> list[FieldFault]:
        """Return what is wrong with a document.

        Raises:
            Conflict: `schema_unusable`: the schema itself cannot be used, or checking took too long.
        """
        if found := self.size_faults(document):
            return found
        try:
            async with asyncio.timeout(self._policy.limit_s):
                return await asyncio.to_thread(self._check, schema, document)
        except TimeoutError as error:
            raise Conflict(
                f"Checking against the channel's account schema took more than "
                f"{self._policy.limit_s:g} s: the schema is too costly.",
                reason="schema_unusable",
            ) from error

    def _check(self, schema: dict[str, Any], document: Any) -> list[FieldFault]:
        return self._compiled(schema).faults(document)

    def _compiled(self, schema: dict[str, Any]) -> Compiled:
        digest = hashlib.sha256(msgspec.json.encode(schema, order="sorted")).digest()
        kept = self._kept.get(digest)
        if kept is None:
            if wrong := schema_faults(schema):
                words = f"The channel's account schema cannot be used: {wrong[0]!r}"
                raise Conflict(words, reason="schema_unusable")
            kept = self._compile(schema)
            while len(self._kept) >= self._policy.kept_schemas:
                self._kept.popitem(last=False)
            self._kept[digest] = kept
        self._kept.move_to_end(digest)
        return kept


def refuse(faults: list[FieldFault] | tuple[FieldFault, ...], prefix: str) -> None:
    """Raise Invalid with each fault's pointer below `prefix`, where there are faults."""
    if faults:
        placed = [FieldFault(prefix + one.pointer, one.code, one.message) for one in faults]
        raise Invalid(faults=placed)
