"""What the stand-in knows and enforces: tokens, who wrote what, how often it may be answered."""

import base64
import hashlib
import itertools
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

Json = dict[str, Any]

#: Scope -> (seconds a message can be answered, how often; None: any number).
REPLY_RULES: dict[str, tuple[float, int | None]] = {
    "c2c": (3600, 4), "group": (300, 5), "channel": (300, None), "guild_dm": (300, None),
}  # fmt: skip
MSG_TYPES = {0: "content", 2: "markdown", 3: "ark", 4: "embed", 6: "input_notify", 7: "media"}
TOKEN_LIFE_S = 7200.0


@dataclass
class Rules:
    """What this bot may do; change them while the stand-in runs."""

    markdown: bool = True
    active: bool = False
    links: bool = True
    review: bool = False
    text_max: int = 5000
    refused_peers: set[str] = field(default_factory=set)


@dataclass
class Fault:
    """What goes wrong with the next `times` message requests."""

    kind: str  # throttle | code | fail | lose | hang
    times: int = 1
    status: int = 500
    code: int = 0
    retry_after: int | None = None
    hang_s: float = 30.0
    path: str = ""


@dataclass(frozen=True)
class Sent:
    """A message the platform took."""

    id: str
    scope: str
    peer: str
    body: Json
    at: float

    @property
    def text(self) -> str:
        """What a person would see."""
        markdown = self.body.get("markdown") or {}
        return str(markdown.get("content") or self.body.get("content") or "")


@dataclass
class Answerable:
    """An inbound message or event that may be answered."""

    scope: str
    peer: str
    at: float
    replies: int = 0
    seqs: set[int] = field(default_factory=set)


@dataclass
class Stream:
    """A message that grows: what it shows, and how far its frames have come."""

    msg_id: str
    seq: int
    index: int
    text: str
    is_ended: bool = False


class Refused(Exception):
    """The platform answers with an error."""

    def __init__(self, status: int, code: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra


class QqPlatform:
    """One bot on the platform."""

    def __init__(
        self, app_id: str, secret: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app_id, self.secret = app_id, secret
        self.rules = Rules()
        self.faults: deque[Fault] = deque()
        self.requests: Counter[str] = Counter()
        self.refused: list[Json] = []
        self.uploads: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.cdn: dict[str, bytes] = {}
        self.parts: dict[str, list[bytes]] = {}
        self.streams: dict[str, Stream] = {}
        self.typing: list[str] = []
        self.acknowledged: list[str] = []
        self.profile = {"id": "9876543210987654321", "username": "bot", "bot": True}
        self.sent: list[Sent] = []
        self.answerable: dict[str, Answerable] = {}
        self.token_life_s = TOKEN_LIFE_S
        self.block_bytes = 3_000_000
        self._clock, self._skipped_s = clock, 0.0
        self._tokens: dict[str, float] = {}
        self._ids = itertools.count(1)

    # --- the world changes -----------------------------------------------------------------------

    def throttle(
        self, times: int = 1, *, retry_after: int | None = None, code: int = 22009
    ) -> None:
        """Ask the bot to slow down: HTTP 429 with Retry-After, or a code alone."""
        status = 429 if retry_after is not None else 400
        self.faults.append(Fault("throttle", times, status, code, retry_after))

    def answer_with(self, code: int, *, status: int = 400, times: int = 1) -> None:
        """Refuse the next messages with this code."""
        self.faults.append(Fault("code", times, status, code))

    def fail(self, times: int = 1, *, status: int = 500) -> None:
        """Break down without taking the message."""
        self.faults.append(Fault("fail", times, status))

    def lose_next_answer(self, times: int = 1) -> None:
        """Take the message, then reset the connection without a word."""
        self.faults.append(Fault("lose", times))

    def hang(self, times: int = 1, *, hang_s: float = 30.0) -> None:
        """Take the request and stay silent."""
        self.faults.append(Fault("hang", times, hang_s=hang_s))

    def expire_token(self) -> None:
        """Forget every token."""
        self._tokens.clear()

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

    def remember(self, key: str, scope: str, peer: str) -> None:
        """Let `key`, a msg_id or event_id, be answered from now on; a redelivery changes nothing."""
        self.answerable.setdefault(key, Answerable(scope, peer, self.now()))

    def reset(self) -> None:
        """Forget everything but who the bot is."""
        self.__init__(self.app_id, self.secret, self._clock)  # type: ignore[misc]  # same as new

    # --- the API -----------------------------------------------------------------------------------

    def give_token(self, asked: Json) -> Json:
        """Answer a token request; errors come with HTTP 200, `expires_in` is a string."""
        self.requests["token"] += 1
        if asked.get("appId") != self.app_id:
            return {"code": 100007, "message": "appid invalid"}
        if asked.get("clientSecret") != self.secret:
            return {"code": 100016, "message": "invalid appid or secret"}
        now = self.now()
        for token, ends in self._tokens.items():
            if ends - now > 60:
                return {"access_token": token, "expires_in": str(int(ends - now))}
        token = secrets.token_urlsafe(24)
        self._tokens[token] = now + self.token_life_s
        return {"access_token": token, "expires_in": str(int(self.token_life_s))}

    def check_token(self, authorization: str) -> None:
        """Refuse anything but `QQBot <a living token>`."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "QQBot" or self._tokens.get(token, 0.0) <= self.now():
            raise Refused(401, 11244, "token not exist or expire")

    def upload(self, scope: str, asked: Json) -> Json:
        """Take a file by URL, as base64, or from parts that were stored before."""
        whole = asked.get("file_data") or asked.get("upload_id")
        if asked.get("file_type") not in (1, 2, 3, 4) or not (
            whole or str(asked.get("url", "")).startswith("http")
        ):
            raise Refused(400, 304080, "invalid file")
        if asked.get("srv_send_msg"):
            raise Refused(400, 40034102, "this would be an active message")
        file_info = f"file_{next(self._ids)}"
        if "file_data" in asked:
            self.files[file_info] = base64.b64decode(asked["file_data"], validate=True)
        if "upload_id" in asked:
            self.files[file_info] = b"".join(self.parts.pop(asked["upload_id"]))
        self.uploads[file_info] = scope
        return {"file_uuid": f"u{file_info}", "file_info": file_info, "ttl": 3600}

    def prepare(self, asked: Json, url: str) -> Json:
        """Say where the parts of a large file go; sizes are texts, parts count from 1."""
        size, upload_id = int(asked["file_size"]), f"up{next(self._ids)}"
        if any(len(str(asked.get(name, ""))) != 32 for name in ("md5", "md5_10m")):
            raise Refused(400, 304080, "invalid digest")
        counts = range(1, -(-size // self.block_bytes) + 1)
        self.parts[upload_id] = [b""] * len(counts)
        block = str(self.block_bytes)
        return {
            "upload_id": upload_id,
            "block_size": block,
            "parts": [
                {"index": one, "presigned_url": f"{url}/{upload_id}/{one}", "block_size": block}
                for one in counts
            ],
            "upload_config": {"concurrency": 1, "retry_timeout": 30, "retry_delay": 1},
        }

    def finish_part(self, asked: Json) -> Json:
        """Check one part against what was stored."""
        stored = self.parts[asked["upload_id"]][asked["part_index"] - 1]
        digest = hashlib.md5(stored, usedforsecurity=False).hexdigest()
        if (asked["block_size"], asked["md5"]) != (str(len(stored)), digest):
            raise Refused(400, 40093001, "part not complete, please retry")
        return {}

    def stream(self, peer: str, body: Json) -> Json:
        """Show a frame: the first makes a message, the others replace its text by a longer one."""
        stream_id, text, index = body.get("stream_msg_id"), body["content_raw"], body["index"]
        if body["input_mode"] != "replace" or body["input_state"] not in (1, 10):
            raise Refused(400, 50006, "unknown input mode or state")
        if not stream_id:
            self._count_reply("c2c", peer, body)
            stream_id = f"ROBOT1.0_stream{next(self._ids)}"
            self.streams[stream_id] = Stream(body["msg_id"], body["msg_seq"], index, text)
            self.sent.append(Sent(stream_id, "c2c", peer, {"content": text}, self.now()))
            return {"id": stream_id, "timestamp": "2026-01-01T08:00:00+08:00"}
        one = self.streams[stream_id]
        if one.is_ended or (body["msg_id"], body["msg_seq"]) != (one.msg_id, one.seq):
            raise Refused(400, 50059, "the stream has ended, or is another one")
        if not text.startswith(one.text):
            raise Refused(400, 40007, "content must begin with what was shown")
        if index <= one.index:
            raise Refused(400, 50035, "index must grow")
        one.text, one.index, one.is_ended = text, index, body["input_state"] == 10
        at = next(at for at, sent in enumerate(self.sent) if sent.id == stream_id)
        self.sent[at] = replace(self.sent[at], body={"content": text})
        return {"id": stream_id, "remain_msg_len": 10_000 - len(text)}

    def take(self, scope: str, peer: str, body: Json) -> Json:
        """Take a message or refuse it, as the platform does."""
        if peer in self.rules.refused_peers:
            raise Refused(400, 40054003, "user refuses the bot's messages")
        text = self._checked_text(scope, body)
        if len(text) > self.rules.text_max:
            raise Refused(400, 40054007, "message too long")
        if not self.rules.links and ("http://" in text or "https://" in text):
            raise Refused(400, 40054010, "url not allowed")
        self._count_reply(scope, peer, body)
        if body.get("msg_type") == 6:
            self.typing.append(peer)
            return {"id": "", "timestamp": "2026-01-01T08:00:00+08:00"}
        message = Sent(f"ROBOT1.0_out{next(self._ids)}", scope, peer, body, self.now())
        self.sent.append(message)
        if self.rules.review:
            audit = {"message_audit": {"audit_id": f"audit_{message.id}"}}
            raise Refused(202, 304023, "push message is waiting for audit", data=audit)
        return {"id": message.id, "timestamp": "2026-01-01T08:00:00+08:00",
                "ext_info": {"ref_idx": f"REFIDX_{message.id}"}}  # fmt: skip

    def report(self) -> Json:
        """Everything that happened, for `GET /standin/sent`."""
        return {
            "messages": [{**asdict(one), "text": one.text} for one in self.sent],
            "refused": self.refused,
            "requests": dict(self.requests),
            "acknowledged": self.acknowledged,
        }

    # --- the rules ---------------------------------------------------------------------------------

    def _checked_text(self, scope: str, body: Json) -> str:
        markdown = body.get("markdown")
        if markdown is not None:
            if body.get("content"):
                raise Refused(400, 40034008, "markdown and content exclude each other")
            if not self.rules.markdown:
                raise Refused(400, 50056, "no permission for markdown")
            _check_keyboard(scope, body.get("keyboard"))
            return str(markdown.get("content", ""))
        if scope in ("channel", "guild_dm"):
            if not any(body.get(name) for name in ("content", "image", "file_image")):
                raise Refused(400, 50006, "empty message")
            return str(body.get("content", ""))
        needed = MSG_TYPES.get(body.get("msg_type", -1))
        if needed is None or not body.get(needed):
            raise Refused(400, 50006, "empty message or unknown msg_type")
        if needed == "media" and self.uploads.get(body["media"].get("file_info")) != scope:
            raise Refused(400, 304082, "file_info unknown here, please upload again")
        return str(body.get("content", ""))

    def _count_reply(self, scope: str, peer: str, body: Json) -> None:
        msg_id, event_id = body.get("msg_id"), body.get("event_id")
        if msg_id and event_id:
            raise Refused(400, 40034005, "msg_id and event_id exclude each other")
        key = msg_id or event_id
        if not key:
            if not self.rules.active:
                raise Refused(400, 40034102, "active messages are not allowed")
            return
        origin = self.answerable.get(key)
        if origin is None or (origin.scope, origin.peer) != (scope, peer):
            raise Refused(400, 304026, "msg_id is wrong")
        window_s, most = REPLY_RULES[scope]
        if most is not None:
            seq = body.get("msg_seq", 1)
            if seq in origin.seqs:
                raise Refused(400, 40054005, "消息被去重，请检查请求msgseq")
            if origin.replies >= most:
                raise Refused(400, 40034128, "msg_id is used up")
            if self.now() - origin.at > window_s:
                raise Refused(400, 304027, "msg_id is expired")
            origin.seqs.add(seq)
        elif self.now() - origin.at > window_s:
            raise Refused(400, 304027, "msg_id is expired")
        origin.replies += 1


def _check_keyboard(scope: str, keyboard: Json | None) -> None:
    if keyboard is None:
        return
    rows = keyboard["content"]["rows"]
    labels = [one["render_data"]["label"] for row in rows for one in row["buttons"]]
    if scope in ("channel", "guild_dm") or not 1 <= len(rows) <= 5:
        raise Refused(400, 40034127, "keyboard not allowed here")
    if any(len(row["buttons"]) > 5 for row in rows) or any(len(one) > 10 for one in labels):
        raise Refused(400, 40034127, "keyboard too large")
