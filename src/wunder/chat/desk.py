"""What visitors of a chat page do: come in, say something; and who they are while they do."""

import json
import secrets
from typing import Annotated

import msgspec

from wunder.chat import origins
from wunder.chat.pace import Pace
from wunder.chat.places import ChatPlace, ChatPlaces
from wunder.chat.policy import ChatPolicy
from wunder.chat.visits import Visitor, claim_of, guest_id, is_guest, token_of, visitor_of
from wunder.errors import NotAllowed, RequestRefused
from wunder.model.conversation import Conversation
from wunder.model.provider import RawRequest
from wunder.ports import Clock

#: Who a visitor is, on the request that the channel parses: only the gateway can say it, since
#: headers of this kind are taken from whatever comes from outside.
VISITOR_HEADER = "X-Wunder-Visitor"
_GUEST_BYTES = 12


class Coming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who knocks: the site around the page, "" for none; what was shown before; the site's claim.

    `language` as manifests name them, such as `zh-CN`.
    """

    origin: Annotated[str, msgspec.Meta(max_length=origins.MAX_CHARS)] = ""
    token: Annotated[str, msgspec.Meta(max_length=4_096)] = ""
    claim: Annotated[str, msgspec.Meta(max_length=4_096)] = ""
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""


class Entered(msgspec.Struct, frozen=True):
    """What the page gets; `ends_at` is Unix ms, `text_chars` the longest message."""

    token: str
    ends_at: int
    title: str
    greeting: str
    name: str
    text_chars: int


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a visitor; its id is the page's own, the same each time it is tried."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    text: str


class ChatDesk:
    """Lets visitors in and hands what they say on, as a platform would."""

    def __init__(self, places: ChatPlaces, key: bytes, clock: Clock, policy: ChatPolicy) -> None:
        self._places = places
        self._key = key
        self._clock = clock
        self._policy = policy
        self._visits = Pace()
        self._messages = Pace()

    def place(self, key: str) -> ChatPlace:
        """Return the account behind a page's address. Raises: NotFound."""
        return self._places.find(key)

    def enter(self, key: str, coming: Coming, source: str) -> Entered:
        """Let somebody in: as who they were, as whom their site says they are, or as a new guest.

        Args:
            key: of the page.
            coming: what they bring.
            source: where they come from, to keep one source from being many visitors.

        Raises:
            NotFound: there is no such page.
            NotAllowed: the site is not on the account's list, or its claim does not hold.
            RequestRefused: 429, too many from this source.
        """
        place = self._places.find(key)
        self._refuse_haste(self._visits, source, self._policy.visits_per_minute)
        origin = coming.origin or origins.OWN
        if not origins.is_allowed(origin, place.settings.allowed_origins):
            raise NotAllowed("This site is not on the list of those that may show this chat.")
        visitor = self._who(place, origin, coming)
        return Entered(
            token=token_of(visitor, self._key),
            ends_at=visitor.ends_s * 1000,
            title=place.title(coming.language),
            greeting=place.settings.greeting,
            name=visitor.name,
            text_chars=self._policy.text_chars,
        )

    def visitor(self, key: str, token: str) -> Visitor:
        """Return who shows this token at this page. Raises: NotFound, NotAllowed."""
        visitor = visitor_of(token, self._key, self._now_s())
        self.refuse_ended(key, visitor)
        return visitor

    def refuse_ended(self, key: str, visitor: Visitor) -> None:
        """Check that a visit may go on: its account, its site, its time (security rule 17).

        Raises:
            NotFound: the page is gone.
            NotAllowed: it is another account's page, or the visit has ended.
        """
        place = self._places.find(key)
        is_current = self._now_s() < visitor.ends_s
        is_here = place.account.uid == visitor.account_uid
        if not (is_current and is_here):
            raise NotAllowed("This visit has ended: open the page again.")
        if not origins.is_allowed(visitor.origin, place.settings.allowed_origins):
            raise NotAllowed("This site is not on the list of those that may show this chat.")

    def say(self, key: str, visitor: Visitor, said: Said) -> tuple[ChatPlace, RawRequest]:
        """Return what is to be taken in, as a platform's request to the account's webhook.

        Raises:
            NotFound, NotAllowed: the visit may not go on.
            RequestRefused: 422, nothing said or too much; 429, too often.
        """
        self.refuse_ended(key, visitor)
        place = self._places.find(key)
        if not said.text.strip():
            raise RequestRefused(422, "nothing_said")
        if len(said.text) > self._policy.text_chars:
            raise RequestRefused(422, "text_too_long")
        uid, settings = place.account.uid, place.settings
        self._refuse_haste(self._messages, f"{uid}/{visitor.peer_id}", settings.visitor_rate)
        self._refuse_haste(self._messages, uid, settings.total_rate)
        row = place.account.row
        who = {"id": visitor.peer_id, "name": visitor.name, "origin": visitor.origin}
        return place, RawRequest(
            method="POST",
            path=f"/wunder/channel/{row.channel}/{row.webhook_key}/webhook",
            query=(),
            headers=(("Content-Type", "application/json"), (VISITOR_HEADER, json.dumps(who))),
            body=msgspec.json.encode(said),
            remote_addr="",
            received_at=self._clock.now(),
        )

    def conversation(self, visitor: Visitor) -> Conversation:
        """Return the conversation of a visitor: who they are comes from their token alone."""
        return Conversation(visitor.account_uid, "user", visitor.peer_id)

    def _who(self, place: ChatPlace, origin: str, coming: Coming) -> Visitor:
        now_s, uid = self._now_s(), place.account.uid
        ends_s = now_s + self._policy.visit_s
        if coming.claim:
            claim = claim_of(coming.claim, place.settings.site_secret, now_s)
            return Visitor(uid, claim.peer_id, origin, min(ends_s, claim.exp), claim.name)
        before = self._before(coming.token, now_s)
        if before is not None and (before.account_uid, before.origin) == (uid, origin):
            return msgspec.structs.replace(before, ends_s=ends_s)
        return Visitor(uid, guest_id(secrets.token_hex(_GUEST_BYTES)), origin, ends_s)

    def _before(self, token: str, now_s: int) -> Visitor | None:
        """Return the guest that somebody was; whom a site vouched for, it vouches for again."""
        try:
            visitor = visitor_of(token, self._key, now_s)
        except NotAllowed:
            return None
        return visitor if is_guest(visitor.peer_id) else None

    def _refuse_haste(self, pace: Pace, name: str, per_minute: int) -> None:
        wait_s = pace.wait_s(name, per_minute, self._clock.monotonic())
        if wait_s:
            raise RequestRefused(429, "too_fast", retry_after_s=wait_s)

    def _now_s(self) -> int:
        return self._clock.now() // 1000
