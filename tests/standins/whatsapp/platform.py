"""What the stand-in knows and enforces: tokens, windows, rates, limits of every kind of message."""

import hashlib
import itertools
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]

WINDOW_S = 24 * 3600.0
#: One message in 6 s to one person, 45 at once (Cloud API, Throughput, pair rate).
PAIR_BURST, PAIR_EVERY_S = 45, 6.0
MEDIA_KINDS = {"image", "video", "audio", "document", "sticker"}
MEDIA_MIMES = {
    "image": {"image/jpeg", "image/png"},
    "video": {"video/mp4", "video/3gpp"},
    "audio": {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"},
}


@dataclass
class Rules:
    """How the platform is today; change them while the stand-in runs."""

    window_is_told_later: bool = False
    fetches_links: bool = True
    pair_rate: bool = True
    templates: set[str] = field(default_factory=lambda: {"hello", "order_ready"})
    template_gaps: dict[str, int] = field(default_factory=lambda: {"order_ready": 2})
    refused_peers: set[str] = field(default_factory=set)
    quality: str = "GREEN"
    status: str = "CONNECTED"
    subscribed: bool = True


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path contains `path`."""

    kind: str  # throttle | code | fail | lose | hang
    times: int = 1
    status: int = 500
    code: int = 0
    retry_after: int | None = None
    regain_minutes: int = 0
    hang_s: float = 30.0
    path: str = "/messages"


@dataclass(frozen=True)
class Sent:
    """A message the platform took."""

    id: str
    to: str
    body: Json
    at: float

    @property
    def text(self) -> str:
        """What a person would read."""
        kind = self.body["type"]
        shown = self.body.get(kind, {})
        if kind == "interactive":
            return str(shown["body"]["text"])
        return str(shown.get("body") or shown.get("caption") or "")


@dataclass(frozen=True)
class Medium:
    """Something uploaded by us, or sent by a person."""

    mime: str
    content: bytes
    name: str = ""


class Refused(Exception):
    """The platform answers with an error."""

    def __init__(self, status: int, code: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra


class WhatsAppPlatform:
    """One phone number on the platform."""

    def __init__(
        self,
        phone_number_id: str,
        access_token: str,
        app_secret: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.phone_number_id, self.app_secret = phone_number_id, app_secret
        self.display_phone_number = "15550783881"
        self.waba_id = "102290129340398"
        self.rules = Rules()
        self.faults: deque[Fault] = deque()
        self.requests: Counter[str] = Counter()
        self.refused: list[Json] = []
        self.sent: list[Sent] = []
        self.read: list[Json] = []
        self.queries: list[dict[str, str]] = []
        self.failed_later: list[tuple[Sent, int]] = []
        self.media: dict[str, Medium] = {}
        self.public: set[str] = set()
        self.media_url: str | None = None
        self.announce_sha256 = ""
        self.last_message_at: dict[str, float] = {}
        self.seen_messages: set[str] = set()
        self._tokens = {access_token}
        self._clock, self._skipped_s = clock, 0.0
        self._pairs: dict[str, float] = {}
        self._ids = itertools.count(1)

    # --- the world changes -----------------------------------------------------------------------

    def throttle(self, times: int = 1, *, code: int = 130429, regain_minutes: int = 0) -> None:
        """Ask the business to slow down."""
        self.faults.append(Fault("throttle", times, 429, code, regain_minutes=regain_minutes))

    def answer_with(self, code: int, *, status: int = 400, times: int = 1, path: str = "") -> None:
        """Refuse the next requests with this code."""
        self.faults.append(Fault("code", times, status, code, path=path or "/messages"))

    def fail(self, times: int = 1, *, status: int = 502, path: str = "") -> None:
        """Break down without a word of JSON."""
        self.faults.append(Fault("fail", times, status, path=path or "/messages"))

    def lose_next_answer(self, times: int = 1) -> None:
        """Take the message, then reset the connection."""
        self.faults.append(Fault("lose", times))

    def hang(self, times: int = 1, *, hang_s: float = 30.0) -> None:
        """Take the request and stay silent."""
        self.faults.append(Fault("hang", times, hang_s=hang_s))

    def add_fault(self, kind: str, **how: Any) -> None:
        """Let anything go wrong; the fields of `Fault`."""
        self.faults.append(Fault(kind, **how))

    def expire_token(self) -> None:
        """End every token."""
        self._tokens.clear()

    def accept_token(self, token: str) -> None:
        """Let a new token in."""
        self._tokens.add(token)

    def advance(self, seconds: float) -> None:
        """Let time pass on the platform: windows close, rates recover."""
        self._skipped_s += seconds

    def follow(self, clock: Callable[[], float]) -> None:
        """Tell time by another clock, Unix seconds."""
        self._clock = clock

    def now(self) -> float:
        """Unix seconds on the platform's clock."""
        return self._clock() + self._skipped_s

    def heard(self, person: str, message_id: str) -> None:
        """A person wrote: their window is open from now on."""
        self.last_message_at[person] = self.now()
        self.seen_messages.add(message_id)

    def take_fault(self, path: str) -> Fault | None:
        """Return what goes wrong with this request, None if all is well."""
        fault = next((one for one in self.faults if one.path in path), None)
        if fault is None:
            return None
        fault.times -= 1
        if fault.times <= 0:
            self.faults.remove(fault)
        return fault

    # --- the API -----------------------------------------------------------------------------------

    def check_token(self, authorization: str) -> None:
        """Refuse anything but `Bearer <a living token>`."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            raise Refused(401, 190, "Error validating access token: Session has expired")

    def check_number(self, number_id: str) -> None:
        """Refuse a number that is not this one."""
        if number_id != self.phone_number_id:
            words = f"Unsupported request. Object with ID '{number_id}' does not exist"
            raise Refused(400, 100, words, error_subcode=33)

    def take(self, body: Json) -> Json:
        """Take a message or refuse it, as the platform does."""
        if body.get("messaging_product") != "whatsapp":
            raise Refused(400, 100, "The parameter messaging_product is required.")
        if body.get("status") == "read":
            return self._mark_read(body)
        to = str(body.get("to") or body.get("recipient") or "")
        if not to:
            raise Refused(400, 131008, "Required parameter is missing")
        is_group = body.get("recipient_type") == "group"
        self._check_content(body, is_group=is_group)
        if to in self.rules.refused_peers:
            raise Refused(400, 131026, "Message undeliverable")
        if self.rules.pair_rate:
            self._count_pair(to)
        closed = self._is_closed(to) and body["type"] != "template" and not is_group
        if closed and not self.rules.window_is_told_later:
            details = "Message failed to send because more than 24 hours have passed"
            raise Refused(400, 131047, "Re-engagement message", details=details)
        sent = Sent(f"wamid.OUT{next(self._ids)}", to, body, self.now())
        self.sent.append(sent)
        if closed:
            self.failed_later.append((sent, 131047))
        contact = {"input": to, "wa_id": to} if "to" in body else {"input": to, "user_id": to}
        return {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [{"id": sent.id, "message_status": "accepted"}],
        }

    def keep_medium(self, mime: str, content: bytes, name: str = "") -> str:
        """Keep bytes and return their media id."""
        media_id = str(2754859441498000 + next(self._ids))
        self.media[media_id] = Medium(mime, content, name)
        return media_id

    def describe_medium(self, media_id: str, base: str) -> Json:
        """Say where the bytes of a medium are."""
        medium = self.media.get(media_id)
        if medium is None:
            raise Refused(400, 100, "Object does not exist", error_subcode=33)
        return {
            "id": media_id,
            "url": f"{base}/lookaside/{media_id}" if self.media_url is None else self.media_url,
            "mime_type": medium.mime,
            "sha256": self.announce_sha256 or hashlib.sha256(medium.content).hexdigest(),
            "file_size": len(medium.content),
            "messaging_product": "whatsapp",
        }

    def report(self) -> Json:
        """Everything that happened, for `GET /standin/sent`."""
        return {
            "messages": [{**asdict(one), "text": one.text} for one in self.sent],
            "refused": self.refused,
            "requests": dict(self.requests),
            "read": self.read,
        }

    # --- the rules ---------------------------------------------------------------------------------

    def _mark_read(self, body: Json) -> Json:
        if body.get("message_id") not in self.seen_messages:
            raise Refused(400, 131009, "Parameter value is not valid")
        self.read.append(body)
        return {"success": True}

    def _is_closed(self, to: str) -> bool:
        at = self.last_message_at.get(to)
        return at is None or self.now() - at > WINDOW_S

    def _count_pair(self, to: str) -> None:
        now = self.now()
        start = max(self._pairs.get(to, 0.0), now - PAIR_BURST * PAIR_EVERY_S)
        if start + PAIR_EVERY_S > now:
            raise Refused(400, 131056, "(Business Account, Consumer Account) pair rate limit hit")
        self._pairs[to] = start + PAIR_EVERY_S

    def _check_content(self, body: Json, *, is_group: bool) -> None:
        kind = body.get("type")
        shown = body.get(kind) if isinstance(kind, str) else None
        if not isinstance(shown, dict):
            raise Refused(400, 131009, "Parameter value is not valid", details="type")
        if kind == "text":
            self._require(0 < len(shown.get("body", "")) <= 4096, "text.body")
        elif kind == "interactive":
            if is_group:
                raise Refused(400, 131051, "Unsupported message type")
            self._check_interactive(shown)
        elif kind == "template":
            if shown.get("name") not in self.rules.templates:
                raise Refused(404, 132001, "Template name does not exist in the translation")
            self._check_template(shown)
        elif kind == "reaction":
            self._require(shown.get("message_id") in self.seen_messages, "reaction.message_id")
            self._require(bool(shown.get("emoji")), "reaction.emoji")
        elif kind in MEDIA_KINDS:
            self._check_medium(str(kind), shown)
        else:
            raise Refused(400, 131051, "Unsupported message type")

    def _check_template(self, shown: Json) -> None:
        given = [one for part in shown.get("components", ()) for one in part["parameters"]]
        if len(given) != self.rules.template_gaps.get(shown["name"], 0):
            raise Refused(400, 132000, "Number of parameters does not match")
        self._require("code" in shown.get("language", {}), "language")

    def _check_medium(self, kind: str, shown: Json) -> None:
        self._require(len(shown.get("caption", "")) <= 1024, "caption")
        self._require(kind != "audio" or "caption" not in shown, "caption")
        self._require(("id" in shown) != ("link" in shown), "id or link")
        if "link" in shown:
            if not self.rules.fetches_links:
                raise Refused(400, 131053, "Media upload error")
            return
        medium = self.media.get(shown["id"])
        if medium is None:
            raise Refused(400, 131009, "Parameter value is not valid", details="media id")
        if kind in MEDIA_MIMES and medium.mime not in MEDIA_MIMES[kind]:
            raise Refused(400, 131053, "Media upload error", details="type not supported")

    def _check_interactive(self, shown: Json) -> None:
        self._require(0 < len(shown["body"]["text"]) <= 1024, "body.text")
        action = shown["action"]
        if shown.get("type") == "button":
            replies = [one["reply"] for one in action["buttons"]]
            self._require(1 <= len(replies) <= 3, "buttons")
            self._require(all(0 < len(one["title"]) <= 20 for one in replies), "title")
            self._require(all(0 < len(one["id"]) <= 256 for one in replies), "id")
            self._require(len({one["title"] for one in replies}) == len(replies), "title")
            return
        rows = [row for section in action["sections"] for row in section["rows"]]
        self._require(shown.get("type") == "list" and 1 <= len(rows) <= 10, "rows")
        self._require(len(action["button"]) <= 20, "button")
        self._require(all(0 < len(one["title"]) <= 24 for one in rows), "title")
        self._require(all(0 < len(one["id"]) <= 200 for one in rows), "id")
        self._require(all(len(one.get("description", "")) <= 72 for one in rows), "description")
        self._require(len({one["id"] for one in rows}) == len(rows), "id")

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise Refused(400, 131009, "Parameter value is not valid", details=what)
