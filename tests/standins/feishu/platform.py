"""What the stand-in knows and enforces: tokens, messages, uuids, edits, uploads, who may be written to."""

import itertools
import json
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]

TOKEN_LIFE_S = 7200
#: With this much left the same token is handed out again.
TOKEN_KEPT_S = 1800
UUID_WINDOW_S = 3600
CARD_BYTES, TEXT_BYTES = 30 * 1024, 150 * 1024
EDITS_PER_S, TEXT_EDITS = 5, 20
IMAGE_BYTES, FILE_BYTES = 10 * 1024 * 1024, 30 * 1024 * 1024
ID_TYPES = {"oc_": "chat_id", "ou_": "open_id", "on_": "union_id"}
#: A card grows for ten minutes.
GROW_S = 600.0
#: msg_type -> the file_type it may show.
FILE_TYPES = {"audio": {"opus"}, "media": {"mp4"}}


@dataclass(frozen=True)
class App:
    """The bot's app, as its console shows it."""

    app_id: str
    app_secret: str
    verification_token: str = ""
    encrypt_key: str = ""
    bot_open_id: str = "ou_b0t0000000000000000000000000001"
    bot_name: str = "小助手"


SCOPES = ("im:message:send_as_bot", "im:resource", "cardkit:card:write")


@dataclass
class Rules:
    """What this app may do; change them while the stand-in runs."""

    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    refused_peers: set[str] = field(default_factory=set)
    chat_qps: int = 0  # 0: chats are not paced
    cards: bool = True


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path holds `path`."""

    kind: str  # throttle | code | fail | lose | hang
    times: int = 1
    status: int = 500
    code: int = 0
    reset_s: float | None = None
    hang_s: float = 30.0
    path: str = "/messages"
    words: str = "as ordered"


@dataclass
class Sent:
    """A message the platform took."""

    id: str
    chat_id: str
    msg_type: str
    content: str
    at: float
    reply_to: str = ""
    in_thread: bool = False
    uuid: str = ""
    edits: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a person would see."""
        return shown(self.msg_type, self.edits[-1] if self.edits else self.content)


@dataclass
class Card:
    """A card that CardKit holds: what it shows, whether it grows, the number of its last change."""

    said: Json
    grows_until: float = 0.0
    sequence: int = 0
    shows: list[str] = field(default_factory=list)
    message: Sent | None = None


class Refused(Exception):
    """The platform answers with an error."""

    def __init__(self, status: int, code: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra


class FeishuPlatform:
    """One app on the platform."""

    def __init__(self, app: App, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self.rules = Rules()
        self.faults: deque[Fault] = deque()
        self.requests: Counter[str] = Counter()
        self.refused: list[Json] = []
        self.sent: list[Sent] = []
        self.received: dict[str, str] = {}
        self.recalled: set[str] = set()
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.cards: dict[str, Card] = {}
        self.resources: dict[tuple[str, str], tuple[str, str, bytes]] = {}
        self._clock, self._skipped_s = clock, 0.0
        self._tokens: dict[str, float] = {}
        self._uuids: dict[str, tuple[float, Sent]] = {}
        self._edited: dict[str, deque[float]] = {}
        self._written: dict[str, deque[float]] = {}
        self._ids = itertools.count(1)

    # --- the world changes -----------------------------------------------------------------------

    def throttle(
        self, times: int = 1, *, reset_s: float | None = None, code: int = 99991400
    ) -> None:
        """Ask the app to slow down: HTTP 429 with the header, or a code alone."""
        status = 429 if reset_s is not None else 400
        self.faults.append(Fault("throttle", times, status, code, reset_s))

    def answer_with(self, code: int, *, status: int = 400, times: int = 1, path: str = "") -> None:
        """Refuse the next messages with this code."""
        self.faults.append(Fault("code", times, status, code, path=path or "/messages"))

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

    def recall(self, message_id: str) -> None:
        """Let a person recall a message: it cannot be replied to any more."""
        self.recalled.add(message_id)

    def advance(self, seconds: float) -> None:
        """Let time pass on the platform: tokens end, uuids are forgotten."""
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

    def reset(self) -> None:
        """Forget everything but who the app is."""
        self.__init__(self.app, self._clock)  # type: ignore[misc]  # same as new

    # --- the API -----------------------------------------------------------------------------------

    def give_token(self, asked: Json) -> Json:
        """Answer a token request; the same token while half an hour of it is left."""
        self.requests["token"] += 1
        if asked.get("app_id") != self.app.app_id:
            raise Refused(200, 10003, "invalid param")
        if asked.get("app_secret") != self.app.app_secret:
            raise Refused(200, 10014, "app secret invalid")
        now = self.now()
        for token, ends in self._tokens.items():
            if ends - now >= TOKEN_KEPT_S:
                return {"tenant_access_token": token, "expire": int(ends - now)}
        token = f"t-{secrets.token_urlsafe(24)}"
        self._tokens[token] = now + TOKEN_LIFE_S
        return {"tenant_access_token": token, "expire": TOKEN_LIFE_S}

    def check_token(self, authorization: str) -> None:
        """Refuse anything but `Bearer <a living token>`."""
        scheme, _, token = authorization.partition(" ")
        if not token:
            raise Refused(400, 99991661, "Missing access token for authorization")
        if scheme != "Bearer" or self._tokens.get(token, 0.0) <= self.now():
            raise Refused(400, 99991663, "Invalid access token for authorization")

    def require_scope(self, scope: str) -> None:
        """Refuse what the app was not granted."""
        if scope not in self.rules.scopes:
            raise Refused(400, 99991672, f"Access denied. One of the scopes is required: [{scope}]")

    def send(self, id_type: str, body: Json) -> Json:
        """Take a message to a chat or person."""
        peer = str(body.get("receive_id", ""))
        known = "email" if "@" in peer else ID_TYPES.get(peer[:3], id_type)
        if not peer or known != id_type:
            raise Refused(400, 230034, "invalid receive_id")
        return self._take(peer, body, "")

    def reply(self, message_id: str, body: Json) -> Json:
        """Take a reply to a message."""
        if message_id in self.recalled:
            raise Refused(400, 230011, "The message was withdrawn.")
        chat_id = self.received.get(message_id)
        if chat_id is None:
            raise Refused(400, 231003, "The message is not found")
        return self._take(chat_id, body, message_id)

    def edit(self, message_id: str, body: Json, *, is_card: bool) -> Json:
        """Replace a card (PATCH) or a text or post (PUT)."""
        message = self.find(message_id)
        if (message.msg_type == "interactive") != is_card:
            raise Refused(
                400, 230001, "Your request contains an invalid request parameter, ext=msg_type"
            )
        recent = self._edited.setdefault(message_id, deque())
        while recent and self.now() - recent[0] >= 1:
            recent.popleft()
        if len(recent) >= EDITS_PER_S:
            raise Refused(400, 230020, "This operation triggers the frequency limit")
        if not is_card and len(message.edits) >= TEXT_EDITS:
            raise Refused(
                400, 230072, "The message has reached the number of times it can be edited"
            )
        recent.append(self.now())
        self._check_content(message.msg_type, body.get("content"))
        message.edits.append(str(body["content"]))
        return {}

    def make_card(self, body: Json) -> Json:
        """Keep a card that messages can show and changes can reach."""
        self.require_scope("cardkit:card:write")
        said = json.loads(body["data"])
        self._check_card(said)
        grows = said.get("config", {}).get("streaming_mode")
        card_id = f"73{next(self._ids):017}"
        self.cards[card_id] = Card(said, self.now() + GROW_S if grows else 0.0)
        return {"card_id": card_id}

    def change_card(self, card_id: str, body: Json, element: str = "") -> Json:
        """Change an element's content, the settings, or the whole card; numbers only grow."""
        card = self.cards[card_id]
        if int(body["sequence"]) <= card.sequence:
            raise Refused(400, 300317, "sequence number compare failed")
        if element and self.now() >= card.grows_until:
            raise Refused(400, 300309, "streaming mode is closed")
        card.sequence = int(body["sequence"])
        if element:
            (found,) = (one for one in card.said["body"]["elements"]
                        if one.get("element_id") == element)  # fmt: skip
            found["content"] = body["content"]
        elif "settings" in body:
            grows = json.loads(body["settings"])["config"]["streaming_mode"]
            card.grows_until = self.now() + GROW_S if grows else 0.0
        else:
            card.said = json.loads(body["card"]["data"])
            card.grows_until = 0.0
        if card.message is not None:
            card.message.edits.append(json.dumps(card.said, ensure_ascii=False))
        return {}

    def card_of(self, message_id: str) -> Json:
        """Tell what CardKit calls the card of a message."""
        for card_id, card in self.cards.items():
            if card.message is not None and card.message.id == message_id:
                return {"card_id": card_id}
        raise Refused(400, 300311, "no card of this app")

    def find(self, message_id: str) -> Sent:
        """Return a message of the bot."""
        found = next((one for one in self.sent if one.id == message_id), None)
        if found is None:
            raise Refused(400, 230001, "invalid message_id")
        return found

    def keep_upload(self, kind: str, content: bytes) -> str:
        """Take a file; `kind` is `image` or the file_type."""
        self.require_scope("im:resource")
        limit = IMAGE_BYTES if kind == "image" else FILE_BYTES
        if not content:
            raise Refused(400, 234010, "File's size can't be 0")
        if len(content) > limit:
            raise Refused(400, 234006, "The file size exceed the max value")
        key = f"{'img' if kind == 'image' else 'file'}_v3_up{next(self._ids)}"
        self.uploads[key] = (kind, content)
        return key

    def resource(self, message_id: str, key: str, kind: str) -> tuple[str, str, bytes]:
        """Return (mime, name, bytes) of what somebody sent."""
        self.require_scope("im:resource")
        found = self.resources.get((message_id, key))
        if found is None or (kind == "image") != key.startswith("img_"):
            raise Refused(400, 234003, "File not in msg")
        return found

    def report(self) -> Json:
        """Everything that happened, for `GET /standin/sent`."""
        return {
            "messages": [{**asdict(one), "text": one.text} for one in self.sent],
            "refused": self.refused,
            "requests": dict(self.requests),
        }

    # --- the rules ---------------------------------------------------------------------------------

    def _take(self, chat_id: str, body: Json, reply_to: str) -> Json:
        self.require_scope("im:message:send_as_bot")
        if chat_id in self.rules.refused_peers:
            raise Refused(400, 230002, "Bot can NOT be out of the chat.")
        self._pace(chat_id)
        uuid = str(body.get("uuid", ""))
        if len(uuid) > 50:
            raise Refused(
                400, 230001, "Your request contains an invalid request parameter, ext=uuid"
            )
        at, known = self._uuids.get(uuid, (0.0, None))
        if uuid and known is not None and self.now() - at < UUID_WINDOW_S:
            return _told(known)
        msg_type = str(body.get("msg_type"))
        content, card = self._entity(msg_type, body.get("content"))
        self._check_content(msg_type, content)
        message = Sent(
            f"om_out{next(self._ids):06}", chat_id, msg_type, str(content), self.now(),
            reply_to, bool(body.get("reply_in_thread")), uuid,
        )  # fmt: skip
        self.sent.append(message)
        if card is not None:
            card.message = message
        self._uuids[uuid] = (self.now(), message)
        return _told(message)

    def _entity(self, msg_type: str, content: Any) -> tuple[Any, Card | None]:
        """Return what a message shows that names a card of CardKit, and that card."""
        said = json.loads(content) if msg_type == "interactive" and isinstance(content, str) else {}
        if said.get("type") != "card":
            return content, None
        card = self.cards[said["data"]["card_id"]]
        return json.dumps(card.said, ensure_ascii=False), card

    def _pace(self, chat_id: str) -> None:
        written = self._written.setdefault(chat_id, deque())
        while written and self.now() - written[0] >= 1:
            written.popleft()
        if self.rules.chat_qps and len(written) >= self.rules.chat_qps:
            raise Refused(
                400, 230020, "This operation triggers the frequency limit, ext=chat rate limit"
            )
        written.append(self.now())

    def _check_content(self, msg_type: str, content: Any) -> None:
        if not isinstance(content, str):
            raise Refused(400, 230001, "content is not a JSON string")
        size = len(json.dumps(content, ensure_ascii=False).encode())
        if size > (TEXT_BYTES if msg_type == "text" else CARD_BYTES):
            raise Refused(400, 230025, "The length of the message content reaches its limit")
        try:
            said = json.loads(content)
        except ValueError:
            raise Refused(400, 230001, "content is not a JSON string") from None
        if msg_type == "interactive":
            self._check_card(said)
        elif msg_type == "post":
            if not isinstance(said.get("zh_cn", {}).get("content"), list):
                raise Refused(400, 230001, "a post is sent with a locale")
        elif msg_type == "text":
            if not said.get("text"):
                raise Refused(400, 230001, "text is empty")
        else:
            self._check_file(msg_type, said)

    def _check_card(self, said: Json) -> None:
        if not self.rules.cards:
            raise Refused(400, 230099, "Failed to create card content, ext=ErrCode: 11310")
        elements = said.get("body", {}).get("elements")
        if said.get("schema") != "2.0" or not isinstance(elements, list) or not elements:
            raise Refused(400, 230099, "Failed to create card content, ext=ErrCode: 200621")

    def _check_file(self, msg_type: str, said: Json) -> None:
        key = str(said.get("image_key" if msg_type == "image" else "file_key"))
        kind, _ = self.uploads.get(key, ("", b""))
        if not kind:
            raise Refused(400, 230001, f"invalid key {key}")
        fits = kind == "image" if msg_type == "image" else kind in FILE_TYPES.get(msg_type, {kind})
        if not fits or (msg_type == "file" and kind in ("image", "opus", "mp4")):
            raise Refused(400, 230055, "The type of file upload does not match the type of message")


def _told(message: Sent) -> Json:
    return {"message_id": message.id, "chat_id": message.chat_id, "msg_type": message.msg_type}


def shown(msg_type: str, content: str) -> str:
    """Return the words in the `content` of a message."""
    said = json.loads(content)
    if msg_type == "interactive":
        element = said["body"]["elements"][0]
        return str(element.get("content") or element.get("text", {}).get("content", ""))
    if msg_type == "post":
        rows = said["zh_cn"]["content"]
        return "\n".join("".join(str(one.get("text", "")) for one in row) for row in rows)
    return str(said.get("text", ""))
