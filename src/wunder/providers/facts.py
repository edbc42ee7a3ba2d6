"""From a manifest to what the core needs to know of a channel (pure)."""

from typing import Any, Literal

from wunder.model.delivery import ReleaseRef
from wunder.model.ids import ChannelId, PluginId
from wunder.model.provider import ProviderFacts, StaticAck
from wunder_wire.manifest import Manifest

DEFAULT_BODY_BYTES = 524_288
MAX_BODY_BYTES = 5 * 1_048_576


def facts_of(
    manifest: Manifest,
    channel: ChannelId,
    source: Literal["builtin", "plugin"],
    version: str,
    account_schema: dict[str, Any] | None,
) -> ProviderFacts:
    """Describe the provider of `channel` as its manifest has it.

    Args:
        manifest: validated.
        channel: the provider id it serves; a built-in may serve several.
        source: who runs it.
        version: the release; `builtin@<gateway version>` for a built-in.
        account_schema: JSON Schema of provider_config; None: a JSON editor, all of it secret.
    """
    webhook, lookup, idempotency = manifest.webhook, manifest.account_lookup, manifest.idempotency
    ack = StaticAck(webhook.ack.status, webhook.ack.content_type, webhook.ack.body.encode())
    return ProviderFacts(
        channel=channel,
        name=manifest.name,
        source=source,
        release=ReleaseRef(PluginId(manifest.plugin_id), version),
        capabilities=dict(manifest.capabilities),
        account_schema=account_schema,
        redelivery=webhook.redelivery,
        redelivery_days=webhook.redelivery_days,
        ack=ack if webhook.redelivery != "long" else None,
        when_unavailable=webhook.unavailable,
        passes_authorization=webhook.authorization,
        shares_requests=webhook.several_accounts,
        body_bytes=min(manifest.limits.body_bytes or DEFAULT_BODY_BYTES, MAX_BODY_BYTES),
        reply_window_s=manifest.limits.reply_window_s,
        per_account_qps=manifest.limits.per_account_qps,
        edit_interval_ms=manifest.limits.edit_interval_ms,
        idempotency_window_s=idempotency.window_s if idempotency else None,
        idempotency_applies_to=idempotency.applies_to if idempotency else "all",
        lookup_header=lookup.header if lookup else "",
        lookup_config=lookup.config if lookup else "",
        i18n=dict(manifest.i18n),
    )
