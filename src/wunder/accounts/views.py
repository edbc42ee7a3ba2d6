"""An account as it is shown: with the addresses that lead to it, without its secrets."""

from wunder.accounts.drafts import AccountView
from wunder.accounts.sealing import account_secrets
from wunder.accounts.secrets import masked
from wunder.errors import StoreBroken
from wunder.model.account import AccountRow
from wunder.model.provider import ProviderFacts
from wunder.ports import Sealer


def account_view(
    row: AccountRow, facts: ProviderFacts | None, sealer: Sealer, public_url: str
) -> AccountView:
    """Show an account; `facts` None: its channel is not installed."""
    schema = None if facts is None else facts.account_schema
    try:
        secrets = account_secrets(sealer, row)
    except StoreBroken:
        # Shown without them: an operator must be able to enter them again.
        secrets = {}
    # Of an unknown channel only what was stored as a secret is known to be one.
    known = schema if facts is not None else {}
    has_page = facts is not None and facts.capabilities.get("chat_page", False)
    webhook = f"/wunder/channel/{row.channel}/{row.webhook_key}/webhook"
    return AccountView(
        account_uid=row.account_uid,
        channel=row.channel,
        account_id=row.account_id,
        display_name=row.display_name,
        status=row.status,
        provider_config=masked(known, row.config.provider_config, secrets),
        access=row.config.access,
        delivery=row.config.delivery,
        owner_user_id=row.owner_user_id,
        external_id=row.external_id,
        webhook_key=row.webhook_key,
        webhook_url=f"{public_url}{webhook}",
        chat_url=f"{public_url}/wunder/chat/{row.webhook_key}" if has_page else "",
        rev=row.rev,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
