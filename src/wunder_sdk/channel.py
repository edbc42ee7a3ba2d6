"""The class a channel's author fills in."""

from typing import Any, ClassVar, Generic, TypeVar

from wunder_sdk.account import Account
from wunder_sdk.blobs import BlobWriter
from wunder_sdk.errors import UnsupportedFeature
from wunder_sdk.host import Host
from wunder_sdk.log import Log
from wunder_sdk.request import Request
from wunder_sdk.send import Activity, Edit, Send
from wunder_sdk.state import State
from wunder_wire.message import Attachment, OutboundMessage
from wunder_wire.methods import (
    AccountLookup,
    HealthResult,
    ImmediateResponse,
    ParseResult,
    SendResult,
    ValidateResult,
)

C = TypeVar("C")

#: Optional methods and the capability that overriding one of them announces.
CAPABILITY_OF_METHOD = {
    "parse_inbound": "webhook",
    "send_outbound": "outbound",
    "identify_account": "identify_account",
    "render_inline_reply": "inline_reply",
    "edit_outbound": "edit",
    "send_activity": "activity",
    "fetch_attachment": "fetch_attachment",
}


class Channel(Generic[C]):
    """One kind of platform. Subclass it and fill in the methods it supports.

    `C` is the type of `account.config`: set `config` to a dataclass and the SDK builds it from
    the account's config and secrets (defaults fill in, unknown fields are ignored, a wrong type
    is `AccountConfigInvalid` naming the field). Without it `account.config` is a plain dict.

    Methods run concurrently in one event loop: never block it, keep no state between calls
    but caches. Calls are stateless: everything about the account is in `account`.
    Raise the exceptions of `wunder_sdk.errors`; anything else is reported as a bug of yours.
    """

    config: ClassVar[type[Any]] = dict
    #: Where this plugin may keep files (permission `filesystem: data`); "" inside the gateway.
    data_dir: str = ""

    _host: Host | None = None

    async def parse_inbound(self, account: Account[C], http: Request) -> ParseResult:
        """Verify one webhook request and say what is in it.

        Verify the signature first, over `http.body`. Judge freshness by `http.received_ms`.

        Returns:
            The messages, and what the platform wants in the response. A genuine request with
            nothing for us returns `ParseResult(ignored="why", immediate_response=...)`.

        Raises:
            SignatureInvalid: Answered with 401.
            MalformedEvent: Answered with 400.
            Forbidden: Answered with 403.
        """
        raise UnsupportedFeature("this channel takes no webhooks")

    async def send_outbound(self, account: Account[C], send: Send) -> SendResult:
        """Send one platform message.

        A text too long for one: send part `send.part`, return `SendResult(next=NextPart(...))`.

        Raises:
            RateLimited: Wait `retry_after` seconds.
            ProviderUnavailable: It certainly did not arrive; it is tried again.
            OutcomeUnknown: It may have arrived. `account.http` raises these two by itself.
            ProviderRejected: The platform refused it for good.
            RecipientUnreachable: Nobody to send it to.
        """
        raise UnsupportedFeature("this channel sends nothing")

    async def validate_account_config(self, account: Account[C], mode: str) -> ValidateResult:
        """Check an account before it is saved (`static`, no network) or tested (`live`).

        `live` should make one harmless call to the platform and return its `identity`. The
        types of `config` are checked before this is called.
        """
        return ValidateResult(ok=True)

    async def health(self) -> HealthResult:
        """Say how this channel is; `failing` means its platform is down (never restarts it)."""
        return HealthResult()

    async def identify_account(self, http: Request) -> AccountLookup | None:
        """Say which config field must have which value for this request: a hint, not trusted."""
        raise UnsupportedFeature("this channel does not tell accounts apart")

    async def render_inline_reply(
        self, account: Account[C], http: Request, message: OutboundMessage
    ) -> ImmediateResponse:
        """Write a reply into the response of the webhook that brought the message."""
        raise UnsupportedFeature("this platform reads no reply from its webhook")

    async def edit_outbound(self, account: Account[C], edit: Edit) -> None:
        """Replace the text of a message sent before."""
        raise UnsupportedFeature("this platform edits nothing")

    async def send_activity(self, account: Account[C], activity: Activity) -> None:
        """Show "typing", or mark as read."""
        raise UnsupportedFeature("this platform shows no activity")

    async def fetch_attachment(
        self, account: Account[C], attachment: Attachment, blob: BlobWriter
    ) -> None:
        """Fetch a received attachment and write its bytes: `await blob.write(chunk)`.

        `attachment` is one that `parse_inbound` returned, with its `media_id` or `url`. It may be
        asked again after a failure, and then begins from the start. Set `blob.mime` and
        `blob.name` where the platform tells them. Retryable errors are tried again later.
        """
        raise UnsupportedFeature("this channel fetches no attachments")

    def now_ms(self) -> int:
        """Return Unix milliseconds by the host's clock; fixed in tests."""
        return self.host.now_ms()

    @property
    def log(self) -> Log:
        """The plugin's log: `self.log.info("token_fetched", lives_s=7200)`."""
        return Log(self._host)

    @property
    def state(self) -> State:
        """Durable values of the plugin (`account.state` for one account's)."""
        return State(self.host)

    @property
    def host(self) -> Host:
        """Whoever runs this channel.

        Raises:
            RuntimeError: Nobody does yet; it is attached after `__init__`.
        """
        if self._host is None:
            raise RuntimeError("this channel is not running yet: the host comes after __init__")
        return self._host

    def attach(self, host: Host) -> None:
        """Connect this channel to whoever runs it (done by the SDK)."""
        self._host = host

    @classmethod
    def capabilities(cls) -> dict[str, bool]:
        """Return what this channel can do: which methods it overrides."""
        found = {
            capability: getattr(cls, method) is not getattr(Channel, method)
            for method, capability in CAPABILITY_OF_METHOD.items()
        }
        return {name: on for name, on in found.items() if on}
