"""What the stand-in knows and enforces: tokens, members, limits, duplicates, media, response_urls."""

import itertools
import json
import re
import secrets
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.standins.wecom.desk import Desk

Json = dict[str, Any]

TOKEN_LIFE_S = 7200.0
TEXT_BYTES = 2048
STREAM_BYTES = 20_480
MEDIA_LIFE_S = 3 * 86_400.0
RESPONSE_LIFE_S = 3600.0
MOST_UPLOAD = {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}
MEMBER_A_MINUTE = 30
HINT = "hint: [1767225600123456789], from ip: 203.0.113.9, more info at https://open.work.weixin.qq.com"
#: msgtype -> (its content's field, that field's type).
CONTENT: dict[str, tuple[str, type]] = {
    "text": ("content", str), "markdown": ("content", str), "image": ("media_id", str),
    "voice": ("media_id", str), "video": ("media_id", str), "file": ("media_id", str),
    "news": ("articles", list), "textcard": ("title", str), "template_card": ("task_id", str),
}  # fmt: skip


@dataclass
class Rules:
    """What this corp allows; change them while the stand-in runs."""

    trusted_ip: bool = True
    #: Reported in invaliduser with errcode 0.
    invalid_users: set[str] = field(default_factory=set)
    unlicensed_users: set[str] = field(default_factory=set)
    #: Refused as a whole (81013).
    outside_users: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=lambda: {"wrGROUP1"})
    member_limit: bool = True


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path contains `path`."""

    kind: str  # code | fail | lose | hang
    times: int = 1
    status: int = 500
    code: int = 0
    hang_s: float = 30.0
    path: str = "/send"


@dataclass(frozen=True)
class Sent:
    """A message the platform took, as a member sees it."""

    id: str
    way: str  # app | appchat | response | inline | stream
    peer: str
    kind: str
    text: str
    body: Json
    at: float


class Refused(Exception):
    """The platform answers with an errcode."""

    def __init__(self, code: int, words: str, **extra: Any) -> None:
        super().__init__(words)
        self.code, self.words, self.extra = code, words, extra


class WecomPlatform:
    """One corp with one app, and one AI bot."""

    def __init__(
        self,
        corp_id: str,
        agent_id: int,
        secret: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.corp_id, self.agent_id, self.secret = corp_id, agent_id, secret
        self.rules = Rules()
        self.faults: deque[Fault] = deque()
        self.requests: Counter[str] = Counter()
        self.refused: list[Json] = []
        self.sent: list[Sent] = []
        self.dropped: list[Json] = []
        self.media: dict[str, tuple[str, str, bytes, float]] = {}
        self.desk = Desk()
        self.links: dict[str, bytes] = {}
        self.responses: dict[str, tuple[str, float]] = {}
        self.token_life_s = TOKEN_LIFE_S
        self._clock, self._skipped_s = clock, 0.0
        self._token, self._token_ends = "", 0.0
        self._seen: dict[str, float] = {}
        self._to_member: defaultdict[str, deque[float]] = defaultdict(deque)
        self._ids = itertools.count(1)

    # --- the world changes -----------------------------------------------------------------------

    def answer_with(self, code: int, *, times: int = 1, path: str = "/send") -> None:
        """Refuse the next requests with this errcode, HTTP 200."""
        self.faults.append(Fault("code", times, code=code, path=path))

    def throttle(self, times: int = 1) -> None:
        """Say that the API was called too often."""
        self.answer_with(45009, times=times)

    def fail(self, times: int = 1, *, status: int = 502, path: str = "/send") -> None:
        """Break down without taking the message."""
        self.faults.append(Fault("fail", times, status, path=path))

    def lose_next_answer(self, times: int = 1, path: str = "/send") -> None:
        """Take the message, then reset the connection without a word."""
        self.faults.append(Fault("lose", times, path=path))

    def hang(self, times: int = 1, *, hang_s: float = 30.0, path: str = "/send") -> None:
        """Take the request and stay silent."""
        self.faults.append(Fault("hang", times, hang_s=hang_s, path=path))

    def expire_token(self) -> None:
        """End the token early: 42001 from now on."""
        self._token = ""

    def advance(self, seconds: float) -> None:
        """Let time pass on the platform."""
        self._skipped_s += seconds

    def now(self) -> float:
        """Seconds on the platform's clock."""
        return self._clock() + self._skipped_s

    def take_fault(self, path: str) -> Fault | None:
        """Return what goes wrong with this request, None if all is well."""
        fault = next((one for one in self.faults if one.path in path), None)
        if fault is None:
            return None
        fault.times -= 1
        if fault.times <= 0:
            self.faults.remove(fault)
        return fault

    def texts(self, peer: str | None = None) -> list[str]:
        """The texts that members have seen, without marks nobody sees."""
        return [one.text for one in self.sent if peer in (None, one.peer)]

    # --- the API -----------------------------------------------------------------------------------

    def give_token(self, corp_id: str, secret: str) -> Json:
        """Answer gettoken: the same token while it is valid."""
        self.requests["gettoken"] += 1
        if corp_id != self.corp_id:
            raise Refused(40013, "invalid corpid")
        if secret != self.secret:
            raise Refused(40001, "invalid credential")
        if not self._token or self._token_ends <= self.now():
            self._token = secrets.token_urlsafe(40)
            self._token_ends = self.now() + self.token_life_s
        return {"access_token": self._token, "expires_in": int(self._token_ends - self.now())}

    def check_token(self, token: str) -> None:
        """Refuse anything but the living token; refuse strangers' addresses."""
        if not token:
            raise Refused(41001, "access_token missing")
        if token != self._token or self._token_ends <= self.now():
            raise Refused(42001, "access_token expired")
        if not self.rules.trusted_ip:
            raise Refused(60020, "not allow to access from your ip")

    def agent(self, agent_id: str) -> Json:
        """Describe the app."""
        if agent_id != str(self.agent_id):
            raise Refused(40056, "invalid agentid")
        return {"agentid": self.agent_id, "name": "小助手"}

    def send(self, raw: str) -> Json:
        """Take a message of the app."""
        body = self._checked(raw)
        user = body.get("touser")
        if not isinstance(user, str) or not user:
            raise Refused(82001, "No receiver")
        if body.get("agentid") != self.agent_id:
            raise Refused(40056, "invalid agentid")
        if user in self.rules.outside_users:
            raise Refused(81013, "user & party & tag all invalid")
        text = self._content(body)
        message_id = f"msg{next(self._ids)}"
        missed = {
            "invaliduser": user if user.lower() in self.rules.invalid_users else "",
            "unlicenseduser": user if user.lower() in self.rules.unlicensed_users else "",
        }
        if not any(missed.values()) and not self._is_repeat(user, body):
            self._deliver(Sent(message_id, "app", user, body["msgtype"], text, body, self.now()))
        return {**missed, "invalidparty": "", "invalidtag": "", "msgid": message_id}

    def send_to_group(self, raw: str) -> Json:
        """Take a message to a chat that the app made; nothing is folded here."""
        body = self._checked(raw)
        chat = str(body.get("chatid", ""))
        if chat not in self.rules.groups:
            raise Refused(86003, "chatid not exist")
        text = self._content(body)
        sent = Sent(
            f"grp{next(self._ids)}", "appchat", chat, body["msgtype"], text, body, self.now()
        )
        self.sent.append(sent)
        return {}

    def respond(self, code: str, raw: str) -> Json:
        """Take the one answer to a question of an AI bot."""
        body = self._checked(raw)
        peer, asked_at = self.responses.get(code, ("", 0.0))
        if not peer or self.now() - asked_at > RESPONSE_LIFE_S:
            raise Refused(60140, "invalid response_code")
        if body.get("msgtype") not in ("markdown", "template_card"):
            raise Refused(40008, "invalid message type")
        text = str(body.get("markdown", {}).get("content", ""))
        if not text or len(text.encode()) > STREAM_BYTES:
            raise Refused(40058, "content exceed max length")
        del self.responses[code]
        sent = Sent(f"rsp{next(self._ids)}", "response", peer, "markdown", text, body, self.now())
        self.sent.append(sent)
        return {}

    def upload(self, kind: str, name: str, content: bytes) -> Json:
        """Take a file."""
        self.requests["upload"] += 1
        if kind not in MOST_UPLOAD:
            raise Refused(40004, "invalid media type")
        if not 5 < len(content) <= MOST_UPLOAD[kind]:
            raise Refused(40006, "invalid media size")
        is_picture = content.startswith((b"\xff\xd8\xff", b"\x89PNG"))
        if (kind == "image" and not is_picture) or (
            kind == "voice" and not content.startswith(b"#!AMR")
        ):
            raise Refused(40005, "invalid file type")
        media_id = f"MEDIA_{next(self._ids)}"
        self.media[media_id] = (kind, name, content, self.now())
        return {"type": kind, "media_id": media_id, "created_at": "1767225600"}

    def media_of(self, media_id: str) -> tuple[str, str, bytes]:
        """Give a file back."""
        kind, name, content, at = self.media.get(media_id, ("", "", b"", 0.0))
        if not kind or self.now() - at > MEDIA_LIFE_S:
            raise Refused(40007, "invalid media_id")
        return kind, name, content

    def show(self, way: str, peer: str, text: str) -> None:
        """Note what a bot's answer shows at its end."""
        sent = Sent(f"{way}{next(self._ids)}", way, peer, "stream", text, {}, self.now())
        self.sent.append(sent)

    def open_question(self, peer: str) -> str:
        """Make a response_code for a question."""
        code = f"RC{next(self._ids)}"
        self.responses[code] = (peer, self.now())
        return code

    def report(self) -> Json:
        """Everything that happened, for `GET /standin/sent`."""
        return {
            "messages": [asdict(one) for one in self.sent],
            "refused": self.refused,
            "dropped": self.dropped,
            "requests": dict(self.requests),
        }

    # --- the rules ---------------------------------------------------------------------------------

    def _checked(self, raw: str) -> Json:
        self.requests["message"] += 1
        if "\\u" in raw:
            raise Refused(40033, "invalid charset: \\uXXXX in the JSON")
        try:
            body: Json = json.loads(raw)
        except ValueError:
            raise Refused(47001, "data format error") from None
        return body

    def _content(self, body: Json) -> str:
        kind = str(body.get("msgtype", ""))
        if kind not in CONTENT:
            raise Refused(40008, "invalid message type")
        name, shape = CONTENT[kind]
        value = body.get(kind, {}).get(name)
        if not isinstance(value, shape) or not value:
            raise Refused(44004, "content is empty. Warning: wrong json format.")
        if kind in ("image", "voice", "video", "file"):
            found, _, _ = self.media_of(str(value))
            if found != kind:
                raise Refused(40004, "invalid media type")
            return ""
        if kind == "template_card":
            _check_card(body[kind])
        if kind in ("news", "textcard", "template_card"):
            return json.dumps(body[kind], ensure_ascii=False)
        # What is longer is cut off, without a word.
        cut = str(value).encode()[:TEXT_BYTES].decode("utf-8", "ignore")
        return cut.rstrip("\u200b\u200c\u200d")

    def _is_repeat(self, user: str, body: Json) -> bool:
        """Drop what was seen within the interval; nobody is told."""
        if not body.get("enable_duplicate_check"):
            return False
        key = json.dumps([user, body["msgtype"], body[body["msgtype"]]], sort_keys=True)
        seen_at = self._seen.get(key)
        interval_s = min(int(body.get("duplicate_check_interval", 1800)), 14_400)
        if seen_at is not None and self.now() - seen_at < interval_s:
            self.dropped.append({"why": "duplicate", "user": user})
            return True
        self._seen[key] = self.now()
        return False

    def _deliver(self, message: Sent) -> None:
        recent = self._to_member[message.peer]
        while recent and self.now() - recent[0] >= 60:
            recent.popleft()
        if self.rules.member_limit and len(recent) >= MEMBER_A_MINUTE:
            self.dropped.append({"why": "member_limit", "user": message.peer})
            return
        recent.append(self.now())
        self.sent.append(message)


def _check_card(card: Json) -> None:
    buttons = card.get("button_list") or []
    keys = {one["key"] for one in buttons}
    if card["card_type"] != "button_interaction" or not 1 <= len(buttons) <= 6:
        raise Refused(42014, "template_card button_list out of range")
    if len(keys) < len(buttons) or not re.fullmatch("[0-9A-Za-z_@-]{1,128}", card["task_id"]):
        raise Refused(42014, "template_card key or task_id is invalid")
