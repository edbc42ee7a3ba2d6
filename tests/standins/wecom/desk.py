"""The customer service of the stand-in: what customers wrote waits to be fetched."""

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.standins.wecom.platform import WecomPlatform

Json = dict[str, Any]
OPEN_KFID, CUSTOMER = "wkAJ2GCAAAZSfhHCt7IFSvLKtMPxyJTw", "wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw"
A_PAGE = 2
REPLIES = 5


@dataclass
class Desk:
    """One customer service account: its messages in order, and how often each customer may be answered."""

    open_kfid: str = OPEN_KFID
    messages: list[Json] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    seen: dict[str, Json] = field(default_factory=dict)
    welcomed: list[Json] = field(default_factory=list)
    human: set[str] = field(default_factory=set)
    pulls: int = 0
    a_page: int = A_PAGE

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)

    def write(self, asked: Json, now_s: float) -> Json:
        """A customer writes, or something happens (`event`)."""
        customer = str(asked.get("user", CUSTOMER))
        kind = str(asked.get("type", "text"))
        content = asked.get("content") or {"content": str(asked.get("text", "hello"))}
        message = {
            "msgid": str(asked.get("message_id") or f"kfmsg{next(self._ids)}"),
            "open_kfid": self.open_kfid,
            "external_userid": customer,
            "send_time": int(asked.get("at_s") or now_s),
            "origin": int(asked.get("origin", 4 if kind == "event" else 3)),
            "msgtype": kind,
            kind: content,
        }
        if message["origin"] == 3:
            self.left[customer] = REPLIES
        self.messages.append(message)
        return message

    def sync(self, asked: Json) -> Json:
        """Give the next page after a cursor."""
        self.pulls += 1
        begin = int(asked.get("cursor") or 0)
        end = min(begin + self.a_page, len(self.messages))
        more = int(end < len(self.messages))
        return {"next_cursor": str(end), "has_more": more, "msg_list": self.messages[begin:end]}

    def send(self, platform: "WecomPlatform", raw: str) -> Json:
        """Take a message to a customer; a repeat of a msgid is folded."""
        from tests.standins.wecom.platform import Refused, Sent  # noqa: PLC0415 - they need each other

        body = platform._checked(raw)
        customer, msgid = str(body["touser"]), str(body.get("msgid", ""))
        if body.get("open_kfid") != self.open_kfid:
            raise Refused(95007, "invalid open_kfid")
        if not re.fullmatch("[0-9A-Za-z_-]{1,32}", msgid):
            raise Refused(40058, "msgid is invalid")
        if msgid in self.seen:
            return {"msgid": msgid}
        if customer in self.human:
            raise Refused(95018, "send msg session status invalid")
        if self.left.get(customer, 0) <= 0:
            raise Refused(95001, "send msg limit")
        kind = body["msgtype"]
        if kind in ("image", "voice", "video", "file"):
            platform.media_of(body[kind]["media_id"])
        self.left[customer] -= 1
        text = str(body[kind].get("content", ""))
        if kind == "msgmenu":
            text = json.dumps(body[kind], ensure_ascii=False)
        platform.sent.append(Sent(msgid, "kf", customer, kind, text, body, platform.now()))
        self.seen[msgid] = body
        return {"msgid": msgid}
