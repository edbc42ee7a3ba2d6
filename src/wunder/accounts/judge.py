"""Judges an account's configuration: size, schema, then the provider's own opinion."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from wunder.accounts.schema_check import SchemaCheck, refuse
from wunder.accounts.secrets import Merged
from wunder.errors import Conflict, FieldFault, ProviderFault
from wunder.model.account import Account
from wunder.model.fault import FaultKind
from wunder.model.ids import ChannelId
from wunder.model.provider import ConfigFault, ConfigVerdict, ProviderFacts
from wunder.model.redaction import struck
from wunder.ports import ChannelProvider, Providers

PREFIX = "/provider_config"
MAX_WORDS_CHARS = 500
MAX_FAULTS = 50
_CODE = re.compile(r"[A-Za-z][\w.-]{0,63}", re.ASCII)


class JudgePolicy(msgspec.Struct, frozen=True):
    """Seconds that a provider may take over its opinion: choices above the plugin's own limits."""

    static_s: float = 12.0
    live_s: float = 30.0


class ConfigJudge:
    """Asks the schema and the provider; what it refuses is Invalid, with a pointer to each field."""

    def __init__(
        self, providers: Providers, schemas: SchemaCheck, policy: JudgePolicy | None = None
    ) -> None:
        self._providers = providers
        self._schemas = schemas
        self._policy = policy or JudgePolicy()

    def facts(self, channel: str) -> ProviderFacts | None:
        """Return what is known of a channel, serving or not."""
        return next((one for one in self._providers.known() if one.channel == channel), None)

    def refuse_size(self, given: Any) -> None:
        """Raise Invalid for a document that is too deep or too large to be looked at."""
        refuse(self._schemas.size_faults(given), PREFIX)

    async def refuse_form(self, facts: ProviderFacts, merged: Merged) -> None:
        """Raise Invalid where the whole configuration does not fit the channel's schema."""
        refuse(merged.faults, PREFIX)
        if facts.account_schema is None:
            refuse(self._schemas.size_faults(merged.whole), PREFIX)
            return
        refuse(await self._schemas.faults(facts.account_schema, merged.whole), PREFIX)
        if facts.lookup_config in merged.secrets:
            raise Conflict(
                "The channel looks accounts up by a field that its schema calls secret.",
                reason="schema_unusable",
            )

    async def ask_static(self, account: Account) -> ConfigVerdict | None:
        """Return the provider's opinion without the network; None when it cannot be asked now.

        Raises:
            Invalid: The provider says what is wrong, by pointer.
        """
        provider = self._providers.serving(ChannelId(account.row.channel))
        if provider is None:
            return None
        try:
            verdict = await self._ask(provider, account, "static", self._policy.static_s)
        except ProviderFault as error:
            return self._without_opinion(error, account)
        if verdict is not None and not verdict.is_ok:
            refuse(_placed(verdict.errors or _NO_REASON), PREFIX)
        return verdict

    async def ask_live(self, account: Account) -> ConfigVerdict:
        """Return what the platform itself says to this configuration; never raises for its no."""
        provider = self._providers.serving(ChannelId(account.row.channel))
        if provider is None:
            return _failed("provider_unavailable", "Nobody serves this channel now.")
        try:
            verdict = await self._ask(provider, account, "live", self._policy.live_s)
        except ProviderFault as error:
            return _failed(error.fault.kind, _words(error.fault.message, account.secrets))
        return verdict or _failed("timeout", "The provider did not answer in time.")

    async def _ask(
        self,
        provider: ChannelProvider,
        account: Account,
        mode: Literal["static", "live"],
        limit_s: float,
    ) -> ConfigVerdict | None:
        try:
            async with asyncio.timeout(limit_s):
                verdict = await provider.validate_account_config(account, mode)
        except TimeoutError:
            return None
        return msgspec.structs.replace(
            verdict,
            errors=_cleaned(verdict.errors, account.secrets),
            warnings=_cleaned(verdict.warnings, account.secrets),
        )

    def _without_opinion(self, error: ProviderFault, account: Account) -> ConfigVerdict | None:
        kind = error.fault.kind
        if kind is FaultKind.METHOD_NOT_FOUND:
            return ConfigVerdict(is_ok=True)  # a plugin that has no opinion has no objection
        if kind in (FaultKind.ACCOUNT_CONFIG_INVALID, FaultKind.AUTH_FAILED):
            words = _words(error.fault.message, account.secrets) or _NO_REASON[0].message
            refuse(_placed((ConfigFault("", kind, words),)), PREFIX)
        return None


_NO_REASON = (ConfigFault("", "refused", "The channel refuses this configuration."),)


def _words(said: str, secrets: Any) -> str:
    """Return words of a provider, bounded, without the account's secrets."""
    return str(struck(said, secrets))[:MAX_WORDS_CHARS]


def _cleaned(faults: Sequence[ConfigFault], secrets: Any) -> tuple[ConfigFault, ...]:
    return tuple(
        ConfigFault(
            path=_words(one.path, secrets) if one.path.startswith("/") else "",
            code=one.code if _CODE.fullmatch(one.code) else "refused",
            message=_words(one.message, secrets),
        )
        for one in faults[:MAX_FAULTS]
    )


def _placed(faults: Sequence[ConfigFault]) -> list[FieldFault]:
    return [FieldFault(one.path, one.code, one.message) for one in faults]


def _failed(code: str, words: str) -> ConfigVerdict:
    return ConfigVerdict(is_ok=False, errors=(ConfigFault("", code, words),))
