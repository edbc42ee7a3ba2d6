"""The web chat (网页聊天): a page that the gateway serves itself is the platform."""

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from wunder_sdk import (
    Account,
    Channel,
    ChannelMessage,
    ConfigFault,
    MalformedEvent,
    ParseResult,
    Peer,
    Request,
    Send,
    Sender,
    SendResult,
    SignatureInvalid,
    ValidateResult,
    json_response,
)

#: Who speaks, in JSON. The gateway takes headers of this kind from whatever comes from outside, so
#: that one that is there was written by the gateway for a visitor whose token it checked.
VISITOR_HEADER = "X-Wunder-Visitor"
_ORIGIN = re.compile(
    r"https?://(\*\.)?([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class WebchatConfig:
    """The fields of an account; the page obeys the others, this class reads only what it judges."""

    allowed_origins: tuple[str, ...] = ()


class WebchatChannel(Channel[WebchatConfig]):
    """People on a page of the gateway, alone or inside a company's site."""

    config: ClassVar[type[Any]] = WebchatConfig

    async def parse_inbound(self, account: Account[WebchatConfig], http: Request) -> ParseResult:
        """Take in what a visitor said. Raises: SignatureInvalid, MalformedEvent."""
        visitor = _visitor(http)
        said = http.json()
        if not isinstance(said, dict):
            raise MalformedEvent("the body is no object")
        message_id, text = said.get("id"), said.get("text")
        if not (isinstance(message_id, str) and message_id and isinstance(text, str) and text):
            raise MalformedEvent("id and text are wanted")
        message = ChannelMessage(
            channel=account.channel,
            account_id=account.account_id,
            peer=Peer("user", visitor["id"], visitor["name"] or None),
            message_id=message_id,
            sender=Sender(visitor["id"], visitor["name"] or None),
            ts=http.received_ms,
            text=text,
        )
        return ParseResult((message,), json_response({"accepted": True}))

    async def send_outbound(self, account: Account[WebchatConfig], send: Send) -> SendResult:
        """Say that it is there: the page reads what is committed, on whatever node it is served."""
        return SendResult(provider_message_id=send.idempotency_key)

    async def validate_account_config(
        self, account: Account[WebchatConfig], mode: str
    ) -> ValidateResult:
        """Name each site that is no origin."""
        faults = tuple(
            ConfigFault(
                path=f"/allowed_origins/{index}",
                code="origin",
                message="Write scheme and host, such as https://www.example.com.",
            )
            for index, origin in enumerate(account.config.allowed_origins)
            if not _ORIGIN.match(origin)
        )
        return ValidateResult(ok=not faults, errors=faults)


def _visitor(http: Request) -> dict[str, str]:
    """Return who speaks. Raises: SignatureInvalid."""
    try:
        visitor = json.loads(http.headers.get(VISITOR_HEADER))
    except ValueError:
        visitor = None
    if not isinstance(visitor, dict) or not isinstance(visitor.get("id"), str):
        raise SignatureInvalid("only the gateway's own page posts here")
    return {"id": visitor["id"], "name": str(visitor.get("name", ""))}
