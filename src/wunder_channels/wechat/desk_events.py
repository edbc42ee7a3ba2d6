"""Customer service (微信客服): a callback is only a hint, what customers wrote is fetched.

Source: WeCom docs 94670 (sync_msg) and 97712 (events), read 2026-07.
"""

import asyncio
from dataclasses import dataclass
from typing import Literal

from wunder_channels.wechat.api import WecomApi
from wunder_channels.wechat.app_events import Found, MessageType, bounded, filled
from wunder_channels.wechat.config import WecomConfig
from wunder_channels.wechat.provider_errors import error_for, refusal_of
from wunder_channels.wechat.strict_xml import Element
from wunder_sdk import (
    Account,
    Attachment,
    ChannelError,
    ChannelMessage,
    Location,
    Peer,
    ProviderUnavailable,
    Receipt,
    Sender,
    StateConflict,
)
from wunder_sdk.choices import pressed
from wunder_sdk.loose_json import JsonObject, nested, number, objects, seconds_to_ms, string

HINT = "kf_msg_or_event"
#: `origin` of a message: from the customer, from the system; 5 is a human agent.
_CUSTOMER, _SYSTEM = 3, 4
_LIMIT, _MOST_PAGES = 100, 10
#: A webhook has 2 s for all of it.
_FETCH_S, _COURTESY_S = 1.5, 0.8
#: At first sight of a desk nobody is answered days late (choice).
_FIRST_SIGHT_MS = 600_000
_MEDIA: dict[str, Literal["image", "audio", "video", "file"]] = {
    "image": "image", "voice": "audio", "video": "video", "file": "file",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """What the platform had since a cursor."""

    listed: tuple[JsonObject, ...]
    cursor: str


class Desk:
    """The customer service accounts (客服账号) of one app."""

    def __init__(self, account: Account[WecomConfig], received_ms: int) -> None:
        self._account = account
        self._config = account.config
        self._received_ms = received_ms
        self._api = WecomApi(account)

    async def fetch(self, xml: Element) -> tuple[Found, tuple[Receipt, ...]]:
        """Return what customers wrote since the last callback but one.

        The place to read on from is kept one callback behind: what was returned then may not have
        been stored, and the gateway recognises what it has.

        Raises:
            ProviderUnavailable: WeCom did not answer in time: it calls again.
            ChannelError: What its refusal means.
        """
        open_kfid = xml.text("OpenKfId")
        if xml.text("Event") != HINT or not open_kfid:
            return Found(ignored="no_hint"), ()
        if self._config.open_kfid not in ("", open_kfid):
            return Found(ignored="other_desk"), ()
        place = f"kf:{open_kfid}"
        known, rev = await self._account.state.get_with_rev(place)
        kept: JsonObject = known if isinstance(known, dict) else {}
        try:
            async with asyncio.timeout(_FETCH_S):
                page = await self._read(open_kfid, string(kept, "base"), xml.text("Token"))
        except TimeoutError:
            raise ProviderUnavailable("the customers' messages did not come in time") from None
        try:
            told = {"base": string(kept, "tip"), "tip": page.cursor}
            await self._account.state.put(place, told, rev=rev)
        except StateConflict:
            # Another process reads, too: both return the same, and the gateway folds it.
            pass
        since_ms = 0 if kept else self._received_ms - _FIRST_SIGHT_MS
        return await self._found(page, since_ms)

    async def _read(self, open_kfid: str, cursor: str, token: str) -> Page:
        listed: list[JsonObject] = []
        for _ in range(_MOST_PAGES):
            asked: JsonObject = {"open_kfid": open_kfid, "limit": _LIMIT, "voice_format": 0}
            asked |= filled({"cursor": cursor, "token": token})
            answer = await self._api.post("/cgi-bin/kf/sync_msg", asked, safe=True)
            refusal = refusal_of(answer)
            if refusal is not None:
                raise error_for(refusal, answer, 1, folds=True)
            listed += objects(answer.document, "msg_list")
            cursor = string(answer.document, "next_cursor") or cursor
            if answer.document.get("has_more") != 1:
                break
        return Page(tuple(listed), cursor)

    async def _found(self, page: Page, since_ms: int) -> tuple[Found, tuple[Receipt, ...]]:
        messages: list[ChannelMessage] = []
        receipts: list[Receipt] = []
        for one in page.listed:
            at_ms = seconds_to_ms(one.get("send_time"), self._received_ms)
            if at_ms < since_ms:
                continue
            if one.get("origin") == _CUSTOMER:
                messages += self._message(one, at_ms)
            elif one.get("origin") == _SYSTEM:
                event = nested(one, "event")
                receipts += _failed(event, at_ms)
                messages += await self._event(one, event, at_ms)
        nothing = None if messages or receipts else "nothing_from_customers"
        return Found(tuple(messages), nothing), tuple(receipts)

    # --- one message ------------------------------------------------------------------------------

    def _message(self, one: JsonObject, at_ms: int) -> list[ChannelMessage]:
        customer, message_id = string(one, "external_userid"), string(one, "msgid")
        if not customer or not message_id:
            return []
        kind = string(one, "msgtype")
        content = nested(one, kind)
        choice = pressed(string(content, "menu_id")) if kind == "text" else None
        payload = {"payload_id": choice.id} if choice is not None else {}
        text, said, attachments, place = _said(kind, content)
        return [
            ChannelMessage(
                channel=self._account.channel,
                account_id=self._account.account_id,
                peer=Peer("user", customer),
                message_id=bounded(message_id),
                sender=Sender(customer),
                ts=at_ms,
                type=said,
                text=text or f"[{kind}]",
                attachments=attachments,
                location=place,
                meta={**self._meta(one), **payload},
            )
        ]

    async def _event(self, one: JsonObject, event: JsonObject, at_ms: int) -> list[ChannelMessage]:
        """Read what happened; somebody who opens the chat is welcomed at once."""
        name = string(event, "event_type")
        customer = string(event, "external_userid") or string(one, "external_userid")
        if not customer or name == "msg_send_fail":
            return []
        code = string(event, "welcome_code")
        if code and self._config.welcome and self._received_ms - at_ms < 20_000:
            await self._welcome(code)
        message_id = string(one, "msgid") or f"{name}:{customer}:{at_ms}"
        return [
            ChannelMessage(
                channel=self._account.channel,
                account_id=self._account.account_id,
                peer=Peer("user", customer),
                message_id=bounded(message_id),
                sender=Sender(customer),
                ts=at_ms,
                type="event",
                text=string(event, "scene_param") or string(event, "scene") or name,
                meta={"event_type": name, **self._meta({**one, **event})},
            )
        ]

    async def _welcome(self, code: str) -> None:
        """Greet within the 20 s that a welcome code lives; a failure greets nobody."""
        body = {"code": code, "msgtype": "text", "text": {"content": self._config.welcome}}
        try:
            async with asyncio.timeout(_COURTESY_S):
                await self._api.post("/cgi-bin/kf/send_msg_on_event", body, safe=True)
        except (ChannelError, TimeoutError):
            return

    def _meta(self, one: JsonObject) -> JsonObject:
        return {"open_kfid": string(one, "open_kfid"), "streams": False}


def _said(
    kind: str, content: JsonObject
) -> tuple[str, MessageType, tuple[Attachment, ...], Location | None]:
    if kind in _MEDIA and (media_id := string(content, "media_id")):
        return f"[{kind}]", _MEDIA[kind], (Attachment(_MEDIA[kind], media_id=media_id),), None
    if kind == "location":
        lat, lng = number(content, "latitude"), number(content, "longitude")
        words = " ".join(filter(None, (string(content, "name"), string(content, "address"))))
        if lat is not None and lng is not None and abs(lat) <= 90 and abs(lng) <= 180:
            return f"[location] {words}".strip(), "location", (), Location(lat, lng, words or None)
        return f"[location] {words}".strip(), "text", (), None
    if kind == "link":
        heading = f"{string(content, 'title')} ({string(content, 'url')})"
        return "\n".join(filter(None, (heading, string(content, "desc")))), "text", (), None
    return string(content, "content").strip(), "text", (), None


def _failed(event: JsonObject, at_ms: int) -> list[Receipt]:
    """Read that a message of ours did not arrive, which WeCom tells as an event."""
    message_id = string(event, "fail_msgid")
    if string(event, "event_type") != "msg_send_fail" or not message_id:
        return []
    return [Receipt(message_id, "failed", at_ms, f"WeCom: fail_type {string(event, 'fail_type')}")]
