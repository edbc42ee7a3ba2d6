"""From a method's name and parameters to the channel's method and back."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from wunder_sdk.account import Account, AccountCache
from wunder_sdk.account_config import ConfigMismatch, build
from wunder_sdk.blobs import BlobWriter
from wunder_sdk.channel import CAPABILITY_OF_METHOD, Channel
from wunder_sdk.errors import ChannelError, MethodNotFound, OutcomeUnknown, ProviderUnavailable
from wunder_sdk.host import Host
from wunder_sdk.http_client import Writes, current_writes
from wunder_sdk.request import Request
from wunder_sdk.send import Activity, Edit, Send
from wunder_wire import methods as wire
from wunder_wire.errors import Outcome

C = TypeVar("C")
R = TypeVar("R")

#: Methods that change something on the platform: for these an error must say what arrived.
WRITING_METHODS = frozenset({"channel.send_outbound", "channel.edit_outbound"})


class Dispatcher(Generic[C]):
    """One channel and its accounts, called by `serve` or by the gateway in its own process."""

    def __init__(self, channel: Channel[C], host: Host) -> None:
        channel.attach(host)
        self._channel = channel
        self._host = host
        self._accounts: AccountCache[C] = AccountCache()
        self._trusts_http = False
        self._capabilities = channel.capabilities()
        self._calls: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "plugin.health": self._health,
            "channel.validate_account_config": self._validate,
            "channel.identify_account": self._identify,
            "channel.parse_inbound": self._parse,
            "channel.render_inline_reply": self._render,
            "channel.send_outbound": self._send,
            "channel.edit_outbound": self._edit,
            "channel.send_activity": self._activity,
            "channel.fetch_attachment": self._fetch,
        }
        missing = CAPABILITY_OF_METHOD.keys() - {
            name for name, can in CAPABILITY_OF_METHOD.items() if can in self._capabilities
        }
        self._known = frozenset(self._calls) - {f"channel.{name}" for name in missing}

    @property
    def capabilities(self) -> dict[str, bool]:
        """What the channel can do, as the handshake says it."""
        return dict(self._capabilities)

    def knows(self, method: str) -> bool:
        """Say whether the channel has `method`."""
        return method in self._known

    async def call(self, method: str, params: Any, writes: Writes | None = None) -> Any:
        """Call `method` with its wire parameters and return its wire result.

        Args:
            method: A key of `wunder_wire.methods.HOST_TO_PLUGIN`, but handshake and shutdown.
            params: An instance of that method's parameter class.
            writes: Filled in while the call runs, for a caller that may cancel it.

        Raises:
            ChannelError: `to_wire()` is its error object. What the channel did not mean to
                raise is `internal`, with its traceback in the log; after a request that may
                have been written its outcome is `unknown`.
        """
        if not self.knows(method):
            raise MethodNotFound(f"no method {method}")
        writes = writes or Writes()
        token = current_writes.set(writes)
        try:
            result = await self._calls[method](params)
            expected = wire.HOST_TO_PLUGIN[method][1]
            if not isinstance(result, expected):
                raise TypeError(f"{method} gave {type(result).__name__}, not {expected.__name__}")
            return result
        except OutcomeUnknown as error:
            if method in WRITING_METHODS:
                raise
            raise _unavailable(error) from error
        except ChannelError:
            raise
        except Exception as error:  # the one place where a channel's bugs end
            self._host.log(
                "error", "channel_failed", {"method": method, "traceback": _trace(error)}
            )
            raise self._internal(method, error, writes) from error
        finally:
            current_writes.reset(token)

    async def close(self) -> None:
        """Close every account's connections."""
        await self._accounts.close()

    def outcome_of(self, method: str, writes: Writes) -> Outcome:
        """Say what a call without an answer may have done: `not_sent` or `unknown`.

        `not_sent` is claimed only for channels that are known to speak through `account.http`.
        """
        if method not in WRITING_METHODS:
            return "not_sent"
        return "unknown" if writes.may_have_written or not self._trusts_http else "not_sent"

    def _internal(self, method: str, error: Exception, writes: Writes) -> ChannelError:
        outcome = self.outcome_of(method, writes)
        failure = ChannelError(f"{type(error).__name__} in {method}", outcome=outcome)
        failure.retryable = outcome == "not_sent"
        return failure

    # --- one method each ------------------------------------------------------------------

    async def _health(self, _params: wire.Empty) -> wire.HealthResult:
        return await self._channel.health()

    async def _validate(self, params: wire.ValidateParams) -> wire.ValidateResult:
        try:
            account = await self._account(params.account)
        except ConfigMismatch as error:
            fault = wire.ConfigFault(error.pointer, "invalid", error.problem)
            return wire.ValidateResult(ok=False, errors=(fault,))
        return await self._using(
            account, self._channel.validate_account_config(account, params.mode)
        )

    async def _identify(self, params: wire.IdentifyParams) -> wire.IdentifyResult:
        return wire.IdentifyResult(await self._channel.identify_account(Request(params.http)))

    async def _parse(self, params: wire.ParseParams) -> wire.ParseResult:
        account = await self._account(params.account)
        request = Request(params.http)
        return await self._using(account, self._channel.parse_inbound(account, request))

    async def _render(self, params: wire.RenderParams) -> wire.RenderResult:
        account = await self._account(params.account)
        request = Request(params.http)
        response = await self._using(
            account, self._channel.render_inline_reply(account, request, params.message)
        )
        return wire.RenderResult(response)

    async def _send(self, params: wire.SendParams) -> wire.SendResult:
        account = await self._account(params.account)
        send = Send(
            params.message,
            params.idempotency_key,
            params.attempt,
            params.reply_ordinal,
            params.part,
            params.state,
        )
        return await self._using(account, self._channel.send_outbound(account, send))

    async def _edit(self, params: wire.EditParams) -> wire.Empty:
        account = await self._account(params.account)
        edit = Edit(
            params.provider_message_id,
            params.message,
            params.final,
            params.seq,
            params.idempotency_key,
        )
        await self._using(account, self._channel.edit_outbound(account, edit))
        return wire.Empty()

    async def _activity(self, params: wire.ActivityParams) -> wire.Empty:
        account = await self._account(params.account)
        activity = Activity(
            params.peer, params.kind, params.thread, params.reply_to, params.reply_ordinal
        )
        await self._using(account, self._channel.send_activity(account, activity))
        return wire.Empty()

    async def _fetch(self, params: wire.FetchParams) -> wire.FetchResult:
        account = await self._account(params.account)
        blob = BlobWriter(self._host, params.transfer_id)
        await self._using(account, self._channel.fetch_attachment(account, params.attachment, blob))
        return await blob.finish()

    async def _account(self, given: wire.Account) -> Account[C]:
        found = self._accounts.find(given.account_id, given.rev, given.channel)
        if found is None:
            config = build(self._channel.config, given.config, given.secrets)
            found = Account(given.account_id, given.channel, given.rev, config, self._host)
            await self._accounts.keep(found)
        return found

    async def _using(self, account: Account[C], work: Awaitable[R]) -> R:
        account.hold()
        try:
            return await work
        finally:
            self._trusts_http = self._trusts_http or account.used_http
            await account.release()


def _unavailable(error: OutcomeUnknown) -> ProviderUnavailable:
    return ProviderUnavailable(
        error.message, provider_code=error.provider_code, http_status=error.http_status
    )


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-8_000:]
