"""Send one platform message: word it, post it, and word it once more where Feishu asks for that."""

import hashlib
from dataclasses import dataclass, replace
from urllib.parse import quote

from wunder_channels.feishu.api import FeishuApi, FeishuConfig
from wunder_channels.feishu.files import ready_to_send
from wunder_channels.feishu.memory import Memory
from wunder_channels.feishu.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.feishu.wording import (
    Manner,
    Style,
    Worded,
    as_text,
    choose_style,
    dumps,
    word,
)
from wunder_sdk import (
    Account,
    NextPart,
    OutboundMessage,
    OutcomeUnknown,
    ProviderRejected,
    Send,
    SendResult,
)
from wunder_sdk.choices import as_lines, take_choices

MESSAGES = "/open-apis/im/v1/messages"
#: What an id starts with says what it is (open.feishu.cn, how to get open_id, chat_id, ..).
_ID_TYPES = {"oc_": "chat_id", "ou_": "open_id", "on_": "union_id"}
#: The first wording, one without the reply and one as plain text.
_MOST_WORDINGS = 3
_UUID_MAX = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come: what `next.state` carries.

    Attributes:
        at: Where in the text the next piece begins.
        file: The attachment to send once the text is through.
    """

    at: int = 0
    file: int = 0


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to say a part of a message; `form` tells the ways apart."""

    msg_type: str
    content: str
    after: Progress
    reply_to: str = ""
    form: str = ""


class PartSender:
    """Sends the parts of one delivery for one account."""

    def __init__(self, account: Account[FeishuConfig], send: Send, memory: Memory) -> None:
        self._account = account
        self._config = account.config
        self._send = send
        self._api = FeishuApi(account)
        self._memory = memory
        self._files = send.message.attachments
        self._text, self._manner = manner_of(send.message, account.config)

    async def send_part(self) -> tuple[SendResult, str]:
        """Send part `send.part`; return the result and the type of the message sent.

        Raises:
            ChannelError: What Feishu's refusal means, see `provider_errors`.
        """
        progress = self._progress()
        if progress.at < len(self._text):
            wording = self._word_text(progress)
        elif progress.file < len(self._files):
            ready = await ready_to_send(self._account, self._files[progress.file])
            after = replace(progress, file=progress.file + 1)
            wording = Wording(ready.msg_type, ready.content, after, self._reply_to())
        else:
            raise ProviderRejected("there is neither text nor an attachment to send")
        answer, said = await self._post(wording, progress)
        return _result(answer, self._next(said)), said.msg_type

    async def send_entity(self, card_id: str) -> SendResult:
        """Send a card that CardKit holds, as the first part.

        Raises:
            ChannelError: What Feishu's refusal means.
        """
        content = dumps({"type": "card", "data": {"card_id": card_id}})
        wording = Wording("interactive", content, Progress(len(self._text)), self._reply_to())
        answer, _ = await self._post(wording, Progress(len(self._text)))
        return _result(answer, None)

    def _progress(self) -> Progress:
        state = self._send.state or {}
        return Progress(int(state.get("at", 0)), int(state.get("file", 0)))

    def _next(self, said: Wording) -> NextPart | None:
        after = said.after
        if after.at >= len(self._text) and after.file >= len(self._files):
            return None
        return NextPart({"at": after.at, "file": after.file})

    # --- wording -------------------------------------------------------------------------------

    def _word_text(self, progress: Progress) -> Wording:
        worded = word(self._text, progress.at, self._style(), self._manner)
        return self._wording(worded, progress, self._reply_to())

    def _wording(
        self, worded: Worded, progress: Progress, reply_to: str, form: str = ""
    ) -> Wording:
        after = replace(progress, at=worded.end)
        return Wording(worded.msg_type, worded.content, after, reply_to, form)

    def _style(self) -> Style:
        return choose_style(
            self._text,
            self._config.reply_style,
            is_markdown=self._manner.is_markdown,
        )

    def _reply_to(self) -> str:
        """Return the message to reply to: the first part in a group, every part in a thread."""
        target = reply_target(self._send)
        if not target or self._send.message.thread is not None:
            return target
        if self._send.part or self._config.quote == "never":
            return ""
        wanted = self._config.quote == "always" or self._send.peer.kind != "user"
        return target if wanted else ""

    def _reword(self, said: Wording, refusal: Refusal, progress: Progress) -> Wording | None:
        """Return another wording that Feishu may take, None if there is none."""
        if refusal is Refusal.GONE and said.reply_to:
            return replace(said, reply_to="", form=said.form + "c")
        is_rich = said.msg_type in ("interactive", "post") and said.after.at > progress.at
        if refusal in (Refusal.CARD, Refusal.TOO_LONG) and is_rich:
            worded = as_text(self._text, progress.at, said.after.at, self._manner)
            return self._wording(worded, progress, said.reply_to, said.form + "t")
        return None

    # --- posting -------------------------------------------------------------------------------

    async def _post(self, said: Wording, progress: Progress) -> tuple[PlatformAnswer, Wording]:
        for _ in range(_MOST_WORDINGS):
            answer = await self._post_once(said)
            refusal = refusal_of(answer)
            if refusal is None:
                return answer, said
            if refusal is Refusal.NO_ANSWER:
                await self._note_unsure(said)
            reworded = self._reword(said, refusal, progress)
            if reworded is None:
                raise error_for(refusal, answer, self._send.attempt)
            if refusal is Refusal.GONE:
                await self._require_certainty()
            said = reworded
        raise ProviderRejected("Feishu refused every wording of this message")

    async def _post_once(self, said: Wording) -> PlatformAnswer:
        body: dict[str, object] = {
            "msg_type": said.msg_type,
            "content": said.content,
            "uuid": uuid_of(self._send.idempotency_key, said.form),
        }
        try:
            if said.reply_to:
                body["reply_in_thread"] = self._send.message.thread is not None
                path = f"{MESSAGES}/{quote(said.reply_to, safe='')}/reply"
                return await self._api.call("POST", path, body)
            id_type = receive_id_type(self._send.peer.id, self._config.receive_id_type)
            body["receive_id"] = self._send.peer.id
            params = {"receive_id_type": id_type}
            return await self._api.call("POST", MESSAGES, body, params=params)
        except OutcomeUnknown:
            await self._note_unsure(said)
            raise

    async def _note_unsure(self, said: Wording) -> None:
        if said.reply_to:
            await self._memory.remember_unsure(self._send.idempotency_key)

    async def _require_certainty(self) -> None:
        """Refuse to say it again without the reply if the reply itself may have arrived.

        Raises:
            OutcomeUnknown: An earlier attempt was not answered; the uuid folds repeats of the
                same request, and this would be another one.
        """
        key = self._send.idempotency_key
        if self._send.attempt > 1 and await self._memory.may_have_arrived(key):
            raise OutcomeUnknown("the message replied to is gone; an earlier try may have arrived")


def manner_of(message: OutboundMessage, config: FeishuConfig) -> tuple[str, Manner]:
    """Return the text of a message without its choices, and how it is said."""
    text, is_markdown = (message.text or "").strip(), message.format == "markdown"
    text, choices = take_choices(text) if is_markdown else (text, ())
    if not text:
        text, choices = as_lines(choices), ()
    return text, Manner(is_markdown, config.allow_at_all, choices)


def reply_target(send: Send) -> str:
    """Return the platform's message that `send` answers, "" if it answers none."""
    found = send.message.meta.get("message_id") or send.message.reply_to
    return found if isinstance(found, str) and found.startswith("om_") else ""


def receive_id_type(peer_id: str, otherwise: str) -> str:
    """Return what kind of id a peer has: its prefix says it, else the account's setting."""
    if "@" in peer_id:
        return "email"
    return _ID_TYPES.get(peer_id[:3], otherwise)


def uuid_of(key: str, form: str) -> str:
    """Return the uuid of one wording of one part: every attempt sends the same.

    Feishu sends what has the same uuid at most once within an hour. A wording that was refused
    certainly did not arrive; another wording has another uuid.
    """
    return hashlib.sha256(f"{key}\n{form}".encode()).hexdigest()[:_UUID_MAX]


def _result(answer: PlatformAnswer, more: NextPart | None) -> SendResult:
    data = answer.document.get("data")
    found = data if isinstance(data, dict) else {}
    raw_result = {key: found[key] for key in ("message_id", "chat_id", "thread_id") if key in found}
    if answer.log_id:
        raw_result["log_id"] = answer.log_id
    message_id = found.get("message_id")
    return SendResult(message_id if isinstance(message_id, str) else None, raw_result, more)
