"""What the stand-in knows and enforces: tokens, quotas of each user, files, what users see."""

import itertools
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]

#: What a user's act allows: (messages, seconds).
AFTER_MESSAGE, AFTER_EVENT = (5, 172_800.0), (3, 60.0)
TEXT_MAX = 2048
TOKEN_LIFE_S = 7200.0
SIZES = {"image": 10 * 2**20, "voice": 2 * 2**20, "video": 10 * 2**20, "thumb": 64 * 2**10}
ENDINGS = {
    "image": ("jpg", "jpeg", "png", "gif", "bmp"),
    "voice": ("amr", "mp3"),
    "video": ("mp4",),
    "thumb": ("jpg",),
}
FAULT_TEXT = "该公众号提供的服务出现故障，请稍后再试"


@dataclass
class Rules:
    """What this account may do; change them while the stand-in runs."""

    verified: bool = True
    allowed_ip: bool = True
    refused_users: set[str] = field(default_factory=set)
    text_max: int = TEXT_MAX
    templates: set[str] = field(default_factory=lambda: {"TPL_order_0123456789abcdef"})


@dataclass
class Fault:
    """What goes wrong with the next `times` requests to paths that contain `path`."""

    kind: str  # code | fail | lose | hang
    times: int = 1
    status: int = 200
    code: int = 0
    words: str = "as ordered"
    path: str = "/message/custom/send"
    hang_s: float = 30.0


@dataclass(frozen=True)
class Sent:
    """A message the platform took, or a passive reply that a user saw."""

    touser: str
    msgtype: str
    body: Json
    at: float
    passive: bool = False

    @property
    def text(self) -> str:
        """What a person would read."""
        if self.passive:
            return str(self.body.get("Content", ""))
        return str(self.body.get("text", {}).get("content", ""))


@dataclass
class Grant:
    """What a user may still get."""

    left: int
    ends: float


class Refused(Exception):
    """The platform answers with an errcode."""

    def __init__(self, code: int, words: str, status: int = 200) -> None:
        super().__init__(words)
        self.code, self.words, self.status = code, words, status


class MpPlatform:
    """One official account on the platform."""

    def __init__(
        self, app_id: str, secret: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app_id, self.secret = app_id, secret
        self.rules = Rules()
        self.faults: deque[Fault] = deque()
        self.requests: Counter[str] = Counter()
        self.refused: list[Json] = []
        self.sent: list[Sent] = []
        self.typing: list[Json] = []
        self.grants: dict[str, Grant] = {}
        self.media: dict[str, tuple[str, str, bytes]] = {}
        self.token_life_s = TOKEN_LIFE_S
        self._clock, self._skipped_s = clock, 0.0
        self._token, self._token_ends, self._forced_at = "", 0.0, -1e9
        self._ids = itertools.count(1)

    # --- the world changes ---------------------------------------------------------------------------

    def answer_with(
        self, code: int, *, times: int = 1, status: int = 200, path: str = "/message/custom/send"
    ) -> None:
        """Refuse the next requests with this errcode."""
        self.faults.append(Fault("code", times, status, code, path=path))

    def throttle(self, times: int = 1) -> None:
        """Too many calls in a minute."""
        self.answer_with(45011, times=times)

    def fail(self, times: int = 1, *, status: int = 500, path: str = "/message/") -> None:
        """Break down without doing what was asked."""
        self.faults.append(Fault("fail", times, status, path=path))

    def lose_next_answer(self, times: int = 1) -> None:
        """Take the message, then reset the connection without a word."""
        self.faults.append(Fault("lose", times))

    def hang(self, times: int = 1, *, hang_s: float = 30.0) -> None:
        """Take the request and stay silent."""
        self.faults.append(Fault("hang", times, hang_s=hang_s))

    def expire_token(self) -> None:
        """End the token: the next one that is asked for is new."""
        self._token = ""

    def revoke_token(self) -> None:
        """Somebody fetched a token elsewhere: ours is refused, but given again for the asking."""
        self._revoked = self._token

    def advance(self, seconds: float) -> None:
        """Let time pass on the platform: windows close, tokens end."""
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

    def acted(self, openid: str, *, is_message: bool) -> None:
        """Let a user be written to, as after each of their acts."""
        messages, seconds = AFTER_MESSAGE if is_message else AFTER_EVENT
        self.grants[openid] = Grant(messages, self.now() + seconds)

    def saw(self, openid: str, body: Json) -> None:
        """Show a passive reply to its user."""
        kind = str(body.get("MsgType", ""))
        self.sent.append(Sent(openid, kind, body, self.now(), passive=True))

    def reset(self) -> None:
        """Forget everything but who the account is."""
        self.__init__(self.app_id, self.secret, self._clock)  # type: ignore[misc]  # same as new

    # --- the API -------------------------------------------------------------------------------------

    _revoked = ""

    def give_token(self, asked: Json) -> Json:
        """stable_token: the same token until its last 5 minutes, unless a new one is forced."""
        self.requests["token"] += 1
        if asked.get("grant_type") != "client_credential":
            raise Refused(40002, "invalid grant_type")
        if asked.get("appid") != self.app_id:
            raise Refused(40013, "invalid appid rid: 1-2-3")
        if asked.get("secret") != self.secret:
            raise Refused(40125, "invalid appsecret rid: 1-2-3")
        if not self.rules.allowed_ip:
            raise Refused(40164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist")
        if asked.get("force_refresh"):
            if self.now() - self._forced_at < 30:
                raise Refused(45009, "reach max api daily quota limit")
            self._forced_at = self.now()
            self.requests["forced"] += 1
            self._token = ""
        if not self._token or self._token_ends - self.now() < 300:
            self._token = f"T{next(self._ids)}_" + secrets.token_urlsafe(64)
            self._token_ends = self.now() + self.token_life_s
        return {"access_token": self._token, "expires_in": int(self._token_ends - self.now())}

    def check_token(self, token: str) -> None:
        """Refuse anything but the living token."""
        if not token:
            raise Refused(41001, "access_token missing rid: 1-2-3")
        if token == self._revoked or token != self._token:
            raise Refused(40001, "invalid credential, access_token is invalid or not latest")
        if self._token_ends <= self.now():
            raise Refused(42001, "access_token expired rid: 1-2-3")

    def take(self, body: Json) -> Json:
        """Take a customer service message or refuse it, as the platform does."""
        openid, kind = str(body.get("touser", "")), str(body.get("msgtype", ""))
        if not self.rules.verified:
            raise Refused(48001, "api unauthorized rid: 1-2-3")
        if not openid.startswith("o"):
            raise Refused(40003, "invalid openid rid: 1-2-3")
        content = body.get(kind)
        if kind not in ("text", "image", "voice", "video", "news", "msgmenu") or not content:
            raise Refused(40008, "invalid message type rid: 1-2-3")
        self._check_content(kind, content)
        if openid in self.rules.refused_users:
            raise Refused(48002, "user block receive message rid: 1-2-3")
        grant = self.grants.get(openid)
        if grant is None or grant.ends < self.now():
            raise Refused(45015, "response out of time limit or subscription is canceled")
        if grant.left <= 0:
            raise Refused(45047, "out of response count limit rid: 1-2-3")
        grant.left -= 1
        self.sent.append(Sent(openid, kind, body, self.now()))
        return {"errcode": 0, "errmsg": "ok"}

    def take_template(self, body: Json) -> Json:
        """Take a template message: approved ones only, whoever wrote when."""
        if body.get("template_id") not in self.rules.templates:
            raise Refused(40037, "invalid template_id rid: 1-2-3")
        if not all(one.get("value") for one in body["data"].values()):
            raise Refused(47003, "argument invalid! data.value is empty")
        self.sent.append(Sent(str(body["touser"]), "template", body, self.now()))
        return {"errcode": 0, "errmsg": "ok", "msgid": 200228332}

    def type(self, asked: Json) -> Json:
        """Show "typing"."""
        if asked.get("command") not in ("Typing", "CancelTyping"):
            raise Refused(45072, "command字段取值不对")
        grant = self.grants.get(str(asked.get("touser")))
        if grant is None:
            raise Refused(45080, "下发输入状态，需要之前30秒内跟用户有过消息交互")
        self.typing.append(asked)
        return {"errcode": 0, "errmsg": "ok"}

    def quota(self, asked: Json) -> Json:
        """How often an interface may be called."""
        if not str(asked.get("cgi_path", "")).startswith("/"):
            raise Refused(76021, "cgi_path not found, please check")
        if not self.rules.verified:
            raise Refused(76022, "could not use this cgi_path, no permission")
        return {"errcode": 0, "errmsg": "ok",
                "quota": {"daily_limit": 500_000, "used": len(self.sent), "remain": 500_000}}  # fmt: skip

    def upload(self, kind: str, name: str, mime: str, content: bytes) -> Json:
        """Take a file for 3 days."""
        if kind not in SIZES:
            raise Refused(40004, "invalid media type")
        if not name or name.rpartition(".")[2].lower() not in ENDINGS[kind]:
            raise Refused(40005, "invalid file type")
        if not content:
            raise Refused(44001, "empty media data")
        if len(content) > SIZES[kind]:
            raise Refused(40006, "invalid meida size")
        media_id = f"MEDIA{next(self._ids):04d}"
        self.media[media_id] = (kind, mime, content)
        named = "thumb_media_id" if kind == "thumb" else "media_id"
        return {"type": kind, named: media_id, "created_at": 1767225600}

    def report(self) -> Json:
        """Everything that happened, for `GET /standin/sent`."""
        return {
            "messages": [{**asdict(one), "text": one.text} for one in self.sent],
            "refused": self.refused,
            "requests": dict(self.requests),
            "typing": self.typing,
        }

    def _check_content(self, kind: str, content: Json) -> None:
        if kind == "text":
            text = str(content.get("content", ""))
            if not text:
                raise Refused(44004, "empty content")
            if len(text.encode()) > self.rules.text_max:
                raise Refused(45002, "content size out of limit")
        if kind in ("image", "voice", "video"):
            known = self.media.get(str(content.get("media_id")))
            if known is None or known[0] != kind:
                raise Refused(40007, "invalid media_id")
