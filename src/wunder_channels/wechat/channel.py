"""WeCom (企业微信): an app of a company, or an AI bot; from a callback to messages, and back."""

import re
from typing import ClassVar

from wunder_channels.wechat.answer import (
    WAITING,
    Stamp,
    accepted,
    echo,
    sealed_json,
    stream,
    welcome,
)
from wunder_channels.wechat.api import WecomApi
from wunder_channels.wechat.app_events import read_callback
from wunder_channels.wechat.bot_events import Asked, read_bot_callback, stream_id
from wunder_channels.wechat.bot_sending import BotSender, close, receipts_of
from wunder_channels.wechat.config import WecomConfig, faults, warnings
from wunder_channels.wechat.desk_events import Desk
from wunder_channels.wechat.download import fetch
from wunder_channels.wechat.envelope import KeyPair, Marks, open_envelope
from wunder_channels.wechat.pace import MemberPace
from wunder_channels.wechat.provider_errors import error_for, refusal_of
from wunder_channels.wechat.sending import PartSender
from wunder_channels.wechat.streams import Stream, Streams
from wunder_channels.wechat.strict_xml import read_xml
from wunder_sdk import (
    Account,
    AccountConfigInvalid,
    AccountLookup,
    Attachment,
    AuthFailed,
    BlobWriter,
    Channel,
    ConfigFault,
    Edit,
    ExternalIdentity,
    ImmediateResponse,
    MalformedEvent,
    ParseResult,
    Receipt,
    Request,
    Send,
    SendResult,
    SignatureInvalid,
    StateConflict,
    UnsupportedFeature,
    ValidateResult,
)
from wunder_sdk.errors import Quota
from wunder_sdk.loose_json import objects, read_object, string

_CORP_ID = re.compile(rb"<ToUserName><!\[CDATA\[(w[wx][0-9A-Za-z_-]{1,62})\]\]></ToUserName>")
#: Where the corp id stands in an envelope's outside.
_HEAD_BYTES = 1_024
_PATH_OF_CODE = {"40013": "/corp_id", "40056": "/agent_id", "301002": "/agent_id", "60020": ""}


class WecomChannel(Channel[WecomConfig]):
    """Apps (自建应用) and AI bots (智能机器人) of WeCom."""

    config: ClassVar[type[WecomConfig]] = WecomConfig

    def __init__(self) -> None:
        self._pace = MemberPace()

    async def parse_inbound(self, account: Account[WecomConfig], http: Request) -> ParseResult:
        """Verify and open a callback, then answer the address check or read what is inside."""
        config, marks = account.config, _marks(http)
        encrypted = _encrypted(config, http)
        plain, pair = open_envelope(encrypted, marks, config.key_pairs, config.receive_id)
        _require_fresh(config, marks, http.received_ms)
        if http.method == "GET":
            return ParseResult(ignored="address_check", immediate_response=echo(plain))
        if config.is_ai_bot:
            asked = Asked(account, read_object(plain), http.received_ms)
            return await self._parse_for_bot(asked, pair)
        if config.is_desk:
            found, receipts = await Desk(account, http.received_ms).fetch(read_xml(plain))
            return ParseResult(
                messages=found.messages,
                receipts=receipts,
                ignored=found.ignored,
                immediate_response=accepted(),
            )
        found = read_callback(account, read_xml(plain), http.received_ms)
        return ParseResult(
            messages=found.messages, ignored=found.ignored, immediate_response=accepted()
        )

    async def send_outbound(self, account: Account[WecomConfig], send: Send) -> SendResult:
        """Send one message: `sending` for an app, `bot_sending` for an AI bot."""
        if account.config.is_ai_bot:
            return await BotSender(account, self.now_ms()).send_part(send)
        return await PartSender(account, send, self._pace, self.now_ms()).send_part()

    async def edit_outbound(self, account: Account[WecomConfig], edit: Edit) -> None:
        """Go on with an AI bot's answer; an app's messages stay as they are."""
        if not account.config.is_ai_bot:
            raise UnsupportedFeature("an app's messages cannot be changed")
        await BotSender(account, self.now_ms()).edit(edit)

    async def fetch_attachment(
        self, account: Account[WecomConfig], attachment: Attachment, blob: BlobWriter
    ) -> None:
        """Download what somebody sent."""
        await fetch(account, attachment, blob)

    async def identify_account(self, http: Request) -> AccountLookup | None:
        """Name the corp id that stands outside the envelope; an AI bot's has none."""
        found = _CORP_ID.search(http.body[:_HEAD_BYTES])
        return AccountLookup("corp_id", found[1].decode()) if found else None

    async def validate_account_config(
        self, account: Account[WecomConfig], mode: str
    ) -> ValidateResult:
        """Check the fields; with mode `live` fetch a token and ask WeCom for the app's name.

        There is nothing to ask for an AI bot: it has no secret, WeCom checks it by calling us.
        """
        config = account.config
        errors = tuple(faults(config))
        if errors or mode != "live":
            return ValidateResult(not errors, errors, tuple(warnings(config)))
        if config.is_ai_bot:
            named = ExternalIdentity(config.bot_id, config.bot_name or None)
            identity = named if config.bot_id else None
            return ValidateResult(True, (), tuple(warnings(config)), identity)
        try:
            return ValidateResult(ok=True, identity=await self._who_am_i(account))
        except (AuthFailed, AccountConfigInvalid) as error:
            path = _PATH_OF_CODE.get(error.provider_code or "", "/secret")
            return ValidateResult(ok=False, errors=(ConfigFault(path, error.kind, error.message),))

    # --- an AI bot's callbacks ---------------------------------------------------------------------

    async def _parse_for_bot(self, asked: Asked, pair: KeyPair) -> ParseResult:
        if polled := asked.polled_stream:
            return await self._answer_poll(asked, polled, pair)
        found, config = read_bot_callback(asked), asked.account.config
        said = accepted()
        if asked.is_welcome_due:
            if config.welcome:
                said = _sealed(welcome(config.welcome), pair, asked.received_ms)
        elif config.streaming and found.messages and found.messages[0].type != "event":
            own_id = stream_id(found.messages[0].message_id)
            said = _sealed(stream(own_id, WAITING, finish=False), pair, asked.received_ms)
        return ParseResult(messages=found.messages, ignored=found.ignored, immediate_response=said)

    async def _answer_poll(self, asked: Asked, polled: str, pair: KeyPair) -> ParseResult:
        """Show WeCom the whole answer so far; its end is the proof that it was delivered."""
        now_ms = asked.received_ms

        def as_told(found: Stream) -> Stream:
            return close(found, now_ms)

        streams = Streams(asked.account, now_ms)
        try:
            told = await streams.change(polled, as_told)
        except (StateConflict, Quota) as error:
            # Shown all the same; what cannot be noted is noted at the next poll.
            self.log.warning("stream_not_noted", error=type(error).__name__)
            told = as_told(await streams.find(polled))
        shown = stream(polled, told.content or WAITING, finish=told.closed)
        return ParseResult(
            receipts=tuple(
                Receipt(message_id, "delivered", now_ms) for message_id in receipts_of(polled, told)
            ),
            ignored=None if told.closed else "stream_poll",
            immediate_response=_sealed(shown, pair, now_ms),
        )

    # --- small talk with the platform ----------------------------------------------------------------

    async def _who_am_i(self, account: Account[WecomConfig]) -> ExternalIdentity:
        """Ask for the app. Source: WeCom docs 90227."""
        config = account.config
        if config.is_desk:
            return await self._which_desk(account)
        answer = await WecomApi(account).get(
            "/cgi-bin/agent/get", {"agentid": str(config.agent_id)}
        )
        refusal = refusal_of(answer)
        if refusal is not None:
            raise error_for(refusal, answer, 1, folds=True)
        name = string(answer.document, "name")
        return ExternalIdentity(f"{config.corp_id}:{config.agent_id}", name or None)

    async def _which_desk(self, account: Account[WecomConfig]) -> ExternalIdentity:
        """Ask for the customer service accounts. Source: WeCom docs 94661."""
        config = account.config
        asked = {"offset": 0, "limit": 100}
        answer = await WecomApi(account).post("/cgi-bin/kf/account/list", asked, safe=True)
        refusal = refusal_of(answer)
        if refusal is not None:
            raise error_for(refusal, answer, 1, folds=True)
        names = {
            string(one, "open_kfid"): string(one, "name")
            for one in objects(answer.document, "account_list")
        }
        if not names or (config.open_kfid and config.open_kfid not in names):
            raise AccountConfigInvalid("this Secret reaches no such customer service account")
        desk = config.open_kfid or next(iter(names))
        return ExternalIdentity(f"{config.corp_id}:{config.open_kfid or 'kf'}", names[desk] or None)


def _marks(http: Request) -> Marks:
    """Read the query that proves the sender; each of its fields once, and not empty."""
    found = [http.query.get_all(name) for name in ("msg_signature", "timestamp", "nonce")]
    if any(len(values) != 1 or not values[0] for values in found):
        raise MalformedEvent("msg_signature, timestamp or nonce is missing")
    return Marks(*(values[0] for values in found))


def _encrypted(config: WecomConfig, http: Request) -> str:
    """Return the envelope: there is no callback without one."""
    if http.method == "GET":
        encrypted = http.query.get("echostr")
    elif config.is_ai_bot:
        encrypted = string(read_object(http.body), "encrypt")
    else:
        encrypted = read_xml(http.body).text("Encrypt")
    if not encrypted:
        raise MalformedEvent("the callback has no envelope")
    return encrypted


def _require_fresh(config: WecomConfig, marks: Marks, received_ms: int) -> None:
    """Refuse an old signature where the account says so; repeats are the gateway's business."""
    if not config.max_clock_skew_s:
        return
    is_number = marks.timestamp.isascii() and marks.timestamp.isdecimal()
    signed_s = int(marks.timestamp) if is_number and len(marks.timestamp) <= 12 else 0
    if abs(received_ms - signed_s * 1000) > config.max_clock_skew_s * 1000:
        raise SignatureInvalid("the signed timestamp is outside the time window")


def _sealed(document: dict[str, object], pair: KeyPair, received_ms: int) -> ImmediateResponse:
    return sealed_json(document, pair, Stamp.new(received_ms))
