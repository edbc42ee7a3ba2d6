"""Quarantine: what arrived and could not become a message is shown, tried again, or dropped."""

import hashlib
from typing import Protocol

import msgspec

from wunder.errors import Conflict, NotFound, StoreBroken
from wunder.model.delivery import ReleaseRef
from wunder.model.ids import (
    AccountId,
    AccountUid,
    At,
    ChannelId,
    MessageId,
    PluginId,
    RequestId,
    derived_id,
)
from wunder.model.intake import AccountIntake, IntakeUnit, NewMessage, Taken, spool_context
from wunder.model.message import InboundMessage
from wunder.model.provider import RawRequest
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import Intake, Page, Sealer
from wunder.upkeep.doors import Doors

log = get_logger(__name__)
#: Stored as a message that the store, or its own key, refused.
_MESSAGES = frozenset({"dedupe_collision", "store_refused"})
_KEY_DAYS = 14
_DAY_MS = 86_400_000
#: So much of a body is shown.
MAX_SHOWN_CHARS = 65_536


class QuarantineItem(msgspec.Struct, frozen=True):
    """One row of `channel_quarantine` without its body. `can_retry`: as a request, or as a message."""

    quarantine_id: str
    account_uid: AccountUid
    channel: ChannelId
    account_id: AccountId
    reason: str
    detail: str
    size_bytes: int
    is_request: bool  # sealed: a whole webhook request, parsed again when tried again
    message_id: MessageId
    plugin_id: PluginId
    version: str
    received_at: At
    created_at: At

    @property
    def is_message(self) -> bool:
        """True for what was parsed: it can be stored without asking its channel again."""
        return self.reason in _MESSAGES and not self.is_request


class ShownItem(msgspec.Struct, frozen=True):
    """An item with what it holds, as text; `can_retry` False: only an excerpt is there."""

    item: QuarantineItem
    body: str
    can_retry: bool


class QuarantineFilter(msgspec.Struct, frozen=True):
    """Which items; empty fields match everything."""

    channel: str = ""
    account_id: str = ""
    reason: str = ""


class QuarantineTable(Protocol):
    """`channel_quarantine`, beside what T1 and the spool write there. May raise StoreUnavailable."""

    async def items(self, where: QuarantineFilter, limit: int, cursor: str) -> Page[QuarantineItem]:
        """Items that match, newest first."""

    async def item(self, quarantine_id: str) -> tuple[QuarantineItem, bytes] | None:
        """One item and its body; None where there is none."""

    async def respool(self, quarantine_id: str) -> bool:
        """Put a request back at the tail of its account's spool; False where it is gone."""

    async def remove(self, quarantine_id: str) -> bool:
        """Drop an item; False where there is none."""


class QuarantineDesk:
    """Shows what was set aside, tries it again, drops it."""

    def __init__(
        self, table: QuarantineTable, intake: Intake, sealer: Sealer, doors: Doors
    ) -> None:
        self._table = table
        self._intake = intake
        self._sealer = sealer
        self._doors = doors

    async def list(self, where: QuarantineFilter, limit: int, cursor: str) -> Page[QuarantineItem]:
        """Items, newest first."""
        return await self._table.items(where, limit, cursor)

    async def show(self, quarantine_id: str) -> ShownItem:
        """One item with what it holds. Raises: NotFound."""
        item, body = await self._found(quarantine_id)
        shown = self._opened(item, body) if item.is_request else body
        text = shown.decode("utf-8", "replace")[:MAX_SHOWN_CHARS]
        can_retry = item.is_request or (item.is_message and _message_in(body) is not None)
        return ShownItem(item, text, can_retry)

    async def retry(self, quarantine_id: str, by: str) -> QuarantineItem:
        """Try it again: a request is parsed again, a message stored under a key of its own.

        Raises:
            NotFound: there is no such item any more.
            Conflict: `not_replayable`, only an excerpt was kept; `refused_again`, the store refused it.
        """
        item, body = await self._found(quarantine_id)
        if item.is_request:
            if not await self._table.respool(quarantine_id):
                raise NotFound
        else:
            message = _message_in(body) if item.is_message else None
            if message is None:
                words = "Only an excerpt of it was kept: there is nothing to try again."
                raise Conflict(words, reason="not_replayable")
            await self._take_in(item, message)
            await self._table.remove(quarantine_id)
        self._record("quarantine_retried", item, by)
        self._doors.wake()
        return item

    async def drop(self, quarantine_id: str, by: str) -> None:
        """Forget it. Raises: NotFound."""
        item, _body = await self._found(quarantine_id)
        if not await self._table.remove(quarantine_id):
            raise NotFound
        self._record("quarantine_dropped", item, by)

    async def _take_in(self, item: QuarantineItem, message: InboundMessage) -> None:
        """Store a message; ids follow from the item's, so that a second try makes no second one."""
        now = self._doors.clock.now()
        message_id = MessageId(derived_id(item.quarantine_id, "message"))
        new = NewMessage(
            message=msgspec.structs.replace(message, message_id=message_id),
            dedupe_key=_digest("key", item.quarantine_id),
            digest=_digest("content", item.quarantine_id),
            keep_key_until=At(now + _KEY_DAYS * _DAY_MS),
        )
        part = AccountIntake(
            account_uid=item.account_uid,
            channel=item.channel,
            account_id=item.account_id,
            release=ReleaseRef(item.plugin_id, item.version),
            messages=(new,),
        )
        request_id = RequestId(derived_id(item.quarantine_id, "retry"))
        unit = IntakeUnit(request_id, item.received_at, now, now, (part,))
        taken = await self._intake.take_in(unit)
        if taken.is_behind_spool:
            words = "Earlier requests of this account wait to be parsed: try again when they are."
            raise Conflict(words, reason="behind_spool")
        if taken.results[message_id] is Taken.QUARANTINED:
            raise Conflict("The store refused it again.", reason="refused_again")

    async def _found(self, quarantine_id: str) -> tuple[QuarantineItem, bytes]:
        found = await self._table.item(quarantine_id)
        if found is None:
            raise NotFound("No such item; list the quarantine to see what there is.")
        return found

    def _opened(self, item: QuarantineItem, sealed: bytes) -> bytes:
        """The body of a request; nothing where its seal is broken: it can still be dropped."""
        try:
            context = spool_context(item.account_uid, item.quarantine_id)
            plain = self._sealer.open(sealed, context)
            return msgspec.msgpack.decode(plain, type=RawRequest).body
        except (StoreBroken, msgspec.DecodeError):
            return b""

    def _record(self, name: str, item: QuarantineItem, by: str) -> None:
        self._doors.events.record(
            Event(
                name=name,
                at=self._doors.clock.now(),
                plugin_id=item.plugin_id,
                version=item.version,
                account_uid=item.account_uid,
                account_id=item.account_id,
                fields={"quarantine_id": item.quarantine_id, "reason": item.reason, "by": by},
            )
        )
        log.info(name, quarantine_id=item.quarantine_id, reason=item.reason, by=by)


def _message_in(body: bytes) -> InboundMessage | None:
    """The message that a body holds; None where it was cut off."""
    try:
        return msgspec.json.decode(body, type=InboundMessage)
    except msgspec.DecodeError:
        return None


def _digest(role: str, quarantine_id: str) -> bytes:
    return hashlib.sha256(f"quarantine|{role}|{quarantine_id}".encode()).digest()
