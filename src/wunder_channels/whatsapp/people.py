"""Know a person again who is named by phone today and by a business-scoped id tomorrow.

Since 2026 a user with a username may come without a phone number. The conversation stays the
one it was: it is named by the phone where there was one first, else by the id.
"""

import asyncio
import base64
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_sdk import Account, ChannelError, StateConflict

#: People are kept in this many values of host.state, each well below 64 KiB and all together
#: below 1 MiB: 256 x 80 x 48 bytes. Who falls out and then drops the phone starts afresh.
_BUCKETS = 256
_BUCKET_MAX = 80
#: Looked up without the gateway while the process lives.
_CACHED = 20_000
#: A webhook waits; what is not stored within this is stored the next time (choice).
_LEARN_S = 1.0
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on WhatsApp, as one message names them; "" where it does not."""

    phone: str = ""
    user_id: str = ""

    @property
    def is_somebody(self) -> bool:
        """Is there any id at all?"""
        return bool(self.phone or self.user_id)

    @property
    def key(self) -> str:
        """What is looked up: a new phone brings a new id, so the id is the surer name."""
        return self.user_id or self.phone

    @property
    def first_name_here(self) -> str:
        """How a conversation with a stranger is called."""
        return self.phone or self.user_id


Names = Mapping[Person, str]


class People:
    """Which conversation each person of an account belongs to."""

    def __init__(self) -> None:
        self._failures = 0
        self._known: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    async def names(self, account: Account[WhatsAppConfig], persons: Iterable[Person]) -> Names:
        """Return the conversation's id of each person, and remember strangers.

        Where the gateway's state cannot be read or written in time, a person is named as the
        message names them.
        """
        everybody = list(dict.fromkeys(persons))
        known = {one.key: self._cached(account, one.key) for one in everybody}
        strangers: dict[str, str] = {}
        for one in everybody:
            if known[one.key] is None and (one.phone or one.key not in strangers):
                strangers[one.key] = one.first_name_here
        found: dict[str, str] = {}
        if strangers:
            try:
                async with asyncio.timeout(_LEARN_S):
                    await self._look_up(account, strangers, found)
            except (ChannelError, TimeoutError):
                self._failures += 1
        return {
            one: known[one.key] or found.get(one.key) or one.first_name_here for one in everybody
        }

    async def moved(self, account: Account[WhatsAppConfig], before: Person, now: Person) -> None:
        """Remember that `before` is `now` from here on: a new phone, a new id."""
        if not before.is_somebody or not now.is_somebody:
            return
        name = (await self.names(account, [before]))[before]
        fresh = {key: name for key in (now.user_id, now.phone) if key}
        fresh["@" + name] = now.first_name_here
        try:
            async with asyncio.timeout(_LEARN_S):
                for bucket, part in _by_bucket(fresh):
                    await _store(account, bucket, part, overwrite=True)
        except (ChannelError, TimeoutError):
            self._failures += 1
            return
        self._forget(account, fresh)

    def take_failures(self) -> int:
        """Return how often, since the last call, the gateway's state could not be used in time."""
        failures, self._failures = self._failures, 0
        return failures

    async def address(self, account: Account[WhatsAppConfig], name: str) -> str:
        """Return where a conversation's messages go: its name, until the person moved."""
        key = "@" + name
        return (await _load(account, _bucket(key))).get(_digest(key), name)

    async def _look_up(
        self, account: Account[WhatsAppConfig], strangers: Mapping[str, str], found: dict[str, str]
    ) -> None:
        for bucket, part in _by_bucket(strangers):
            # A phone alone names its conversation by itself: nothing to remember.
            fresh = {key: name for key, name in part.items() if key != name or "." in key}
            stored = await _store(account, bucket, fresh, overwrite=False)
            for key, name in part.items():
                found[key] = stored.get(_digest(key), name)
                self._keep(account, key, found[key])

    # --- the cache ---------------------------------------------------------------------------------

    def _place(self, account: Account[WhatsAppConfig], key: str) -> tuple[str, str, str]:
        return account.channel, account.account_id, key

    def _cached(self, account: Account[WhatsAppConfig], key: str) -> str | None:
        return self._known.get(self._place(account, key))

    def _keep(self, account: Account[WhatsAppConfig], key: str, name: str) -> None:
        self._known[self._place(account, key)] = name
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)

    def _forget(self, account: Account[WhatsAppConfig], keys: Iterable[str]) -> None:
        for key in keys:
            self._known.pop(self._place(account, key), None)


def _by_bucket(values: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    buckets: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for key, value in values.items():
        buckets[_bucket(key)][key] = value
    return iter(buckets.items())


def _bucket(key: str) -> str:
    return f"people/{hashlib.sha256(key.encode()).digest()[0] % _BUCKETS:02x}"


def _digest(key: str) -> str:
    """Return a short name of an id, which may have 131 characters: 120 bits of its SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()[1:16]).decode()


async def _load(account: Account[WhatsAppConfig], bucket: str) -> dict[str, str]:
    return _names_in(await account.state.get(bucket))


async def _store(
    account: Account[WhatsAppConfig], bucket: str, fresh: Mapping[str, str], *, overwrite: bool
) -> dict[str, str]:
    """Add `fresh` to a bucket and return the whole; what is known stays unless `overwrite`."""
    known: dict[str, str] = {}
    for _ in range(_TRIES):
        found, rev = await account.state.get_with_rev(bucket)
        known = _names_in(found)
        new = {
            _digest(key): value
            for key, value in fresh.items()
            if overwrite or _digest(key) not in known
        }
        if not new:
            return known
        merged = {key: value for key, value in known.items() if key not in new} | new
        latest = dict(list(merged.items())[-_BUCKET_MAX:])
        try:
            await account.state.put(bucket, latest, rev=rev)
        except StateConflict:
            continue
        return latest
    return known


def _names_in(found: object) -> dict[str, str]:
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in pairs if isinstance(value, str) and value}
