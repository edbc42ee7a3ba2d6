"""Where given fields become a row: merged with what was stored, judged by the channel, sealed."""

from collections.abc import Callable
from typing import Any

import msgspec

from wunder.accounts.changes import changes_between
from wunder.accounts.judge import ConfigJudge
from wunder.accounts.sealing import account_context, account_secrets, seal_secrets
from wunder.accounts.secrets import Merged, merge
from wunder.errors import FieldFault, Invalid
from wunder.model.account import Account, AccountRow, AccountStatus
from wunder.model.provider import ConfigVerdict, ProviderFacts
from wunder.ports import Clock, Sealer


class RowMaker:
    """Makes rows of accounts; stores nothing."""

    def __init__(
        self, judge: ConfigJudge, sealer: Sealer, hmac8: Callable[[str], str], clock: Clock
    ) -> None:
        self._judge = judge
        self._sealer = sealer
        self._hmac8 = hmac8
        self._clock = clock

    async def make(
        self, row: AccountRow, given: Any, is_enabled: bool, old: AccountRow | None
    ) -> tuple[AccountRow, ConfigVerdict | None, dict[str, Any]]:
        """Return the row to store, the provider's verdict where it could be asked, what changed.

        Raises: Invalid, with each field that is wrong.
        """
        before = account_secrets(self._sealer, old) if old else {}
        facts = self._judge.facts(row.channel)
        if facts is None:
            raise Invalid(
                faults=[FieldFault("/channel", "unknown", "No such channel is installed.")]
            )
        merged = await self._merged(facts, row, given, before)
        row = self._sealed(row, merged, before, is_new=old is None)
        verdict = await self._judge.ask_static(Account(row, merged.secrets))
        status: AccountStatus = "disabled"
        if is_enabled:
            status = "enabled" if verdict is not None else "draft"
        row = msgspec.structs.replace(
            row,
            status=status,
            external_id=(verdict.external_id if verdict else "") or row.external_id,
            display_name=row.display_name or (verdict.display_name if verdict else ""),
        )
        was = Merged(old.config.provider_config if old else {}, before, ())
        return row, verdict, changes_between(was, merged, self._hmac8)

    async def _merged(
        self, facts: ProviderFacts, row: AccountRow, given: Any, before: dict[str, Any]
    ) -> Merged:
        if given is not msgspec.UNSET:
            self._judge.refuse_size(given)
        merged = merge(facts.account_schema, given, row.config.provider_config, before)
        await self._judge.refuse_form(facts, merged)
        return merged

    def _sealed(
        self, row: AccountRow, merged: Merged, before: dict[str, Any], *, is_new: bool
    ) -> AccountRow:
        config = msgspec.structs.replace(row.config, provider_config=merged.public)
        row = msgspec.structs.replace(row, config=config, updated_at=self._clock.now())
        if merged.secrets == before and not is_new:
            return row
        secret_rev = row.secret_rev if is_new else row.secret_rev + 1
        context = account_context(row.account_uid, secret_rev)
        sealed = seal_secrets(self._sealer, merged.secrets, context)
        return msgspec.structs.replace(row, secrets=sealed, secret_rev=secret_rev)
