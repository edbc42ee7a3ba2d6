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

#: Methods that change something on the platform: for these an error must say what arrived.
WRITING_METHODS = frozenset({"channel.send_outbound", "channel.edit_outbound"})

_NO_WAY: tuple[None, bool, type] = (None, False, object)


class Dispatcher(Generic[C]):
    """One channel and its accounts, called by `serve` or by the gateway in its own process."""

    def __init__(self, channel: Channel[C], host: Host) -> None:
        channel.attach(host)
        self._channel = channel
        self._host = host
        self._accounts: AccountCache[C] = AccountCache()
        self._trusts_http = False
        self._capabilities = channel.capabilities()
        missing = CAPABILITY_OF_METHOD.keys() - {
            name for name, can in CAPABILITY_OF_METHOD.items() if can in self._capabilities
        }
        hidden = {f"channel.{name}" for name in missing}
        self._ways = {
            name: (way, with_account, wire.HOST_TO_PLUGIN[name][1])
            for name, (way, with_account) in self._all_ways().items()
            if name not in hidden
        }

    def _all_ways(self) -> dict[str, tuple[Callable[..., Awaitable[Any]], bool]]:
        """Return how each method is called, and whether with its account."""
        return {
            "plugin.health": (self._health, False),
            "channel.validate_account_config": (self._validate, False),
            "channel.identify_account": (self._identify, False),
            "channel.parse_inbound": (self._parse, True),
            "channel.render_inline_reply": (self._render, True),
            "channel.send_outbound": (self._send, True),
            "channel.edit_outbound": (self._edit, True),
            "channel.send_activity": (self._activity, True),
            "channel.fetch_attachment": (self._fetch, True),
        }

    @property
    def methods(self) -> frozenset[str]:
        """What the channel has."""
        return frozenset(self._ways)

    @property
    def capabilities(self) -> dict[str, bool]:
        """What the channel can do, as the handshake says it."""
        return dict(self._capabilities)

    def knows(self, method: str) -> bool:
        """Say whether the channel has `method`."""
        return method in self._ways

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
        way, with_account, expected = self._ways.get(method, _NO_WAY)
        if way is None:
            raise MethodNotFound(f"no method {method}")
        writes = writes or Writes()
        token = current_writes.set(writes)
        account: Account[C] | None = None
        try:
            if with_account:
                given = params.account
                account = self._accounts.find(given.account_id, given.rev, given.channel)
                account = account or await self._account(given)
                account.hold()
                result = await way(account, params)
            else:
                result = await way(params)
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
            if account is not None:
                self._trusts_http = self._trusts_http or account.used_http
                if account.let_go():
                    await account.close()
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
        account.hold()
        try:
            return await self._channel.validate_account_config(account, params.mode)
        finally:
            self._trusts_http = self._trusts_http or account.used_http
            await account.release()

    async def _identify(self, params: wire.IdentifyParams) -> wire.IdentifyResult:
        return wire.IdentifyResult(await self._channel.identify_account(Request(params.http)))

    def _parse(self, account: Account[C], params: wire.ParseParams) -> Awaitable[wire.ParseResult]:
        return self._channel.parse_inbound(account, Request(params.http))

    async def _render(self, account: Account[C], params: wire.RenderParams) -> wire.RenderResult:
        request = Request(params.http)
        return wire.RenderResult(
            await self._channel.render_inline_reply(account, request, params.message)
        )

    def _send(self, account: Account[C], params: wire.SendParams) -> Awaitable[wire.SendResult]:
        send = Send(
            params.message,
            params.idempotency_key,
            params.attempt,
            params.reply_ordinal,
            params.part,
            params.state,
        )
        return self._channel.send_outbound(account, send)

    async def _edit(self, account: Account[C], params: wire.EditParams) -> wire.Empty:
        edit = Edit(
            params.provider_message_id,
            params.message,
            params.final,
            params.seq,
            params.idempotency_key,
        )
        await self._channel.edit_outbound(account, edit)
        return wire.Empty()

    async def _activity(self, account: Account[C], params: wire.ActivityParams) -> wire.Empty:
        activity = Activity(
            params.peer, params.kind, params.thread, params.reply_to, params.reply_ordinal
        )
        await self._channel.send_activity(account, activity)
        return wire.Empty()

    async def _fetch(self, account: Account[C], params: wire.FetchParams) -> wire.FetchResult:
        blob = BlobWriter(self._host, params.transfer_id)
        await self._channel.fetch_attachment(account, params.attachment, blob)
        return await blob.finish()

    async def _account(self, given: wire.Account) -> Account[C]:
        kept = self._accounts.find(given.account_id, given.rev, given.channel)
        if kept is not None:
            return kept
        config = build(self._channel.config, given.config, given.secrets)
        opened = Account(given.account_id, given.channel, given.rev, config, self._host)
        await self._accounts.keep(opened)
        return opened


def _unavailable(error: OutcomeUnknown) -> ProviderUnavailable:
    return ProviderUnavailable(
        error.message, provider_code=error.provider_code, http_status=error.http_status
    )


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-8_000:]
