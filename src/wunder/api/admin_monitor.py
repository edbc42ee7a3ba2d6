"""Channels at a glance: who serves them, the kept figures, what happened."""

from collections import Counter
from typing import Any, Literal

import msgspec
from litestar import get, patch
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.parts import ApiParts
from wunder.api.query import Cursor, Limit
from wunder.errors import NotFound
from wunder.feed.minutes import Minute
from wunder.model.ids import AccountUid, At, ChannelId, PluginId
from wunder.model.provider import ProviderFacts
from wunder.model.trail import Event
from wunder.ports import Page

PATH = "/wunder/admin/channels"
TAGS = ["Channels"]


class EventQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events; absent fields match everything."""

    plugin_id: str = ""
    account_uid: str = ""
    limit: Limit = 50
    cursor: Cursor = ""


class ProviderView(msgspec.Struct, frozen=True):
    """One channel that accounts can be made for, and who serves it now.

    `state` is that of the plugin's process; `in_process` for a built-in, `not_serving` for a channel
    that is known and switched off. `account_schema` null: the form is a JSON editor.
    """

    channel: str
    name: str
    source: Literal["builtin", "plugin"]
    plugin_id: str
    version: str
    is_serving: bool
    state: str
    health: str
    capabilities: dict[str, bool]
    account_schema: dict[str, Any] | None
    i18n: dict[str, Any]
    webhook_path: str
    is_user_visible: bool


class ProviderChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether users may connect accounts of this channel."""

    user_visible: bool


class Monitor(msgspec.Struct, frozen=True):
    """The store's kept counters by name, and how many plugins are in each state.

    `last_minute` and `minutes` (oldest first, at most two hours) are those of the node that answers,
    since it started, as are `parked_accounts`: those that rest because their platform refuses the
    credentials. `last_hour` is as much of the last 60 minutes as it has, `hour_before` the 60 before, null
    until it has all of them; `day_before` the 60 that ended a day ago, to five minutes, null where they are
    not kept: figures reach back to `kept_since`, 25 hours at most. `due_since`: since when the delivery that waits longest could have been sent,
    on any node; null where none is due.
    """

    figures: dict[str, float]
    plugins: dict[str, int]
    channels_serving: int
    version: str
    is_draining: bool
    last_minute: Minute
    minutes: tuple[Minute, ...]
    parked_accounts: tuple[AccountUid, ...]
    last_hour: Minute
    hour_before: Minute | None
    day_before: Minute | None
    kept_since: At
    due_since: At | None


@get(
    f"{PATH}/providers",
    operation_id="list_providers",
    tags=TAGS,
    summary="List the channels",
)
async def list_providers(request: AdminRequest) -> Page[ProviderView]:
    """Built-in and installed channels, with the schema of their account form."""
    parts = request.parts
    shown = await parts.visibility.visible()
    return Page(
        tuple(
            view_of_provider(facts, parts, is_user_visible=facts.channel in shown)
            for facts in parts.providers.known()
        )
    )


@patch(
    f"{PATH}/providers/{{channel:str}}",
    operation_id="change_provider",
    tags=TAGS,
    summary="Open a channel to users, or close it",
    opt={"example": {"user_visible": True}},
)
async def change_provider(
    channel: FromPath[str], data: JSONBody[ProviderChanges], request: AdminRequest
) -> ProviderView:
    """Say whether users may connect accounts of it; accounts that they have stay."""
    parts = request.parts
    facts = parts.providers.facts(ChannelId(channel))
    if facts is None:
        raise NotFound
    is_visible, at = data.user_visible, parts.clock.now()
    await parts.visibility.choose([facts.channel], is_visible=is_visible, at=at, by=request.by)
    fields = {"by": request.by, "channel": channel, "user_visible": is_visible}
    parts.noticed.record(Event("provider_visibility_changed", at, plugin_id=channel, fields=fields))
    return view_of_provider(facts, parts, is_user_visible=is_visible)


@get(f"{PATH}/monitor", operation_id="get_monitor", tags=TAGS, summary="Show the figures")
async def get_monitor(request: AdminRequest) -> Monitor:
    """What the overview shows: rows by state, plugins by state."""
    known = request.parts.providers.known()
    states = Counter(
        report.state.value
        for facts in known
        if facts.source == "plugin"
        and (report := request.parts.plugin_host.report(PluginId(facts.release.plugin_id)))
    )
    last_hour, hour_before = request.parts.minutes.hours()
    return Monitor(
        figures=request.parts.store.figures(),
        plugins=dict(states),
        channels_serving=sum(
            request.parts.providers.serving(facts.channel) is not None for facts in known
        ),
        version=request.parts.version,
        is_draining=request.parts.is_draining(),
        last_minute=request.parts.minutes.last(),
        minutes=request.parts.minutes.all(),
        parked_accounts=tuple(request.parts.parked()),
        last_hour=last_hour,
        hour_before=hour_before,
        day_before=request.parts.minutes.day_before(),
        kept_since=request.parts.minutes.kept_since(),
        due_since=await request.parts.upkeep.gate.due_since(),
    )


@get(
    f"{PATH}/events",
    operation_id="list_events",
    tags=TAGS,
    summary="List what happened",
    opt={"query": EventQuery},
)
async def list_events(request: AdminRequest) -> Page[Event]:
    """Monitor events with plugin, version and account, newest first."""
    query = request.read_query(EventQuery)
    return await request.parts.events.events(
        query.plugin_id, query.account_uid, query.limit, query.cursor
    )


def view_of_provider(
    facts: ProviderFacts, parts: ApiParts, *, is_user_visible: bool
) -> ProviderView:
    """Describe a channel and who serves it now."""
    serving = parts.providers.serving(facts.channel)
    facts = serving.facts if serving else facts
    report = None
    state = "in_process" if serving else "not_serving"
    if facts.source == "plugin":
        report = parts.plugin_host.report(PluginId(facts.release.plugin_id))
        state = report.state.value if report and serving else "not_serving"
    return ProviderView(
        channel=facts.channel,
        name=facts.name,
        source=facts.source,
        plugin_id=facts.release.plugin_id,
        version=facts.release.version,
        is_serving=serving is not None,
        state=state,
        health=report.health if report else "",
        capabilities=facts.capabilities,
        account_schema=facts.account_schema,
        i18n=facts.i18n,
        webhook_path=f"/wunder/channel/{facts.channel}/webhook",
        is_user_visible=is_user_visible,
    )


HANDLERS = (list_providers, change_provider, get_monitor, list_events)
