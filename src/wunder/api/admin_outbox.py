"""The outbox: deliveries, their attempts, and what operators do to them by hand."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.query import Cursor, Limit, Moment
from wunder.errors import Conflict, FieldFault, Invalid, NotFound
from wunder.model.delivery import DeliveryState, StoredAttempt, StoredDelivery
from wunder.model.ids import At, ChannelId, DeliveryId, MessageId, ordered_id
from wunder.ports import Page
from wunder.upkeep.jobs import Job
from wunder.upkeep.ledger import CORRECTABLE, Correction, DeliveryFilter
from wunder.upkeep.replay import REPLAYABLE, Preview, ReplayFilter

PATH = "/wunder/admin/channels/outbox"
TAGS = ["Outbox"]
#: So many deliveries may be cancelled by one call, in one transaction.
MAX_CANCELLED = 100
#: So many of a forced replay's deliveries the audit names.
MAX_NAMED = 100
Group = Literal["open", "dead"]
_S = DeliveryState
#: What a person asks for: what is still to be done, and what did not arrive.
GROUPS: Mapping[Group, tuple[DeliveryState, ...]] = {
    "open": (_S.PENDING, _S.CLAIMED, _S.SENDING, _S.STREAMING, _S.HELD),
    "dead": REPLAYABLE,
}


class DeliveryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries; times are Unix milliseconds.

    `group`: `open`, what is not over; `dead`, what failed, expired or may not have arrived. A `state`
    that is given too is what counts. `error_kind`: what the last try failed with.
    """

    state: DeliveryState | None = None
    group: Group | None = None
    error_kind: str = ""
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 50
    cursor: Cursor = ""


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `ids` (at most 1,000) or `filter`. `dry_run` only counts.

    `force`: also those that arrived, named by `ids`: whom they are for gets them twice.
    """

    ids: tuple[str, ...] = ()
    filter: ReplayFilter | None = None
    dry_run: bool = False
    force: bool = False


class Cancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries are not to go out."""

    ids: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MAX_CANCELLED)]


class Cancelled(msgspec.Struct, frozen=True):
    """Those that will not go out, and those that were under way or over."""

    cancelled: tuple[str, ...]
    left: tuple[str, ...]


class Corrected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text that goes out instead; format and attachments stay those of the old message."""

    text: Annotated[str, msgspec.Meta(min_length=1)]


class ReleaseHeld(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which channel's deliveries to let go; absent: all."""

    channel: str | None = None


class Released(msgspec.Struct, frozen=True):
    """How many deliveries were let go."""

    count: int


@get(
    PATH,
    operation_id="list_deliveries",
    tags=TAGS,
    summary="Find deliveries",
    opt={"query": DeliveryQuery},
)
async def list_deliveries(request: AdminRequest) -> Page[StoredDelivery]:
    """Deliveries, newest first; as with messages, a page may be short while `next_cursor` is not empty."""
    query = request.read_query(DeliveryQuery)
    where = DeliveryFilter(
        states=(query.state,) if query.state else GROUPS[query.group] if query.group else (),
        channel=query.channel,
        account_id=query.account_id,
        peer_id=query.peer_id,
        error_kind=query.error_kind,
        since=None if query.since is None else At(query.since),
        until=None if query.until is None else At(query.until),
    )
    return await request.parts.ledger.deliveries(where, query.limit, query.cursor)


@get(
    f"{PATH}/{{delivery_id:str}}",
    operation_id="get_delivery",
    tags=TAGS,
    summary="Show a delivery",
)
async def get_delivery(delivery_id: FromPath[str], request: AdminRequest) -> StoredDelivery:
    """One delivery: its state, receipt, retries and last error."""
    return (await _found(delivery_id, request))[0]


@get(
    f"{PATH}/{{delivery_id:str}}/attempts",
    operation_id="list_attempts",
    tags=TAGS,
    summary="Show each try at a delivery",
)
async def list_attempts(delivery_id: FromPath[str], request: AdminRequest) -> Page[StoredAttempt]:
    """Every attempt with outcome, error, plugin, version and account, oldest first."""
    return Page(tuple((await _found(delivery_id, request))[1]))


@post(
    f"{PATH}/replay",
    operation_id="replay_deliveries",
    tags=TAGS,
    summary="Replay finished deliveries",
    status_code=202,
    opt={"example": {"filter": {"states": ["failed"], "channel": "parrot"}, "dry_run": True}},
)
async def replay_deliveries(
    data: JSONBody[Replay], request: AdminRequest
) -> Response[Job | Preview]:
    """Send failed, unknown or expired deliveries again: same row, same key, at the tail of their lanes.

    With `force` also sent ones: they arrive twice, unless the platform knows the key still. With `dry_run` 200 and how many there are, by account, plugin and cause; else 202 and the job that does
    it in small steps: follow it, or cancel it, by its id.
    """
    replays = request.parts.upkeep.replays
    if data.dry_run:
        preview = await replays.preview(data.ids, data.filter, is_forced=data.force)
        return Response(preview, status_code=200)
    job = await replays.order(data.ids, data.filter, request.by, is_forced=data.force)
    if data.force:
        named = {"count": len(data.ids), "deliveries": list(data.ids[:MAX_NAMED])}
        request.note(request.by, "replay_forced", job.job_id, **named)
    return Response(job, status_code=202)


@post(
    f"{PATH}/cancel",
    operation_id="cancel_deliveries",
    tags=TAGS,
    summary="Cancel deliveries that wait",
    status_code=200,
    opt={"example": {"ids": ["4f7d1c0e9a3b4e55a2d7c1b0f3e86d21"]}},
)
async def cancel_deliveries(data: JSONBody[Cancel], request: AdminRequest) -> Cancelled:
    """End deliveries that are `pending` or `held`; the next of their conversations goes on.

    What is being sent, or is over, is in `left` and stays as it is.
    """
    ids = tuple(dict.fromkeys(data.ids))
    now = request.parts.clock.now()
    gone = await request.parts.outbox.cancel([DeliveryId(one) for one in ids], now, request.by)
    for one in gone:
        request.note(request.by, "delivery_cancelled", one)
    request.parts.wake()
    return Cancelled(tuple(gone), tuple(one for one in ids if one not in gone))


@post(
    f"{PATH}/{{delivery_id:str}}/correct",
    operation_id="correct_delivery",
    tags=TAGS,
    summary="Send a delivery anew with a corrected text",
    status_code=201,
    opt={"example": {"text": "Your order leaves on Friday."}},
)
async def correct_delivery(
    delivery_id: FromPath[str], data: JSONBody[Corrected], request: AdminRequest
) -> StoredDelivery:
    """Send one that failed, expired, was cancelled or may not have arrived, with another text.

    A new delivery, to the same conversation, at the tail of its lane, in the same trail. The old one
    stays as it was, names its `successor_id` and never goes out again: a second correction is 409 and
    names it too. What may have arrived already, arrives in both wordings then.
    """
    if not data.text.strip():
        raise Invalid("There is nothing to send.", [FieldFault("/text", "blank", "")])
    old, _ = await _found(delivery_id, request)
    now = request.parts.clock.now()
    wanted = Correction(old.delivery_id, MessageId(ordered_id(now)), data.text)
    successor_id = await request.parts.outbox.correct(wanted, now, request.by)
    if successor_id is None:
        raise _not_corrected((await _found(delivery_id, request))[0])
    request.note(request.by, "delivery_corrected", old.delivery_id, successor=successor_id)
    request.parts.wake()
    return (await _found(successor_id, request))[0]


@post(
    f"{PATH}/release",
    operation_id="release_held",
    tags=TAGS,
    summary="Let deliveries held by a restore go",
    status_code=200,
)
async def release_held(
    request: AdminRequest, data: JSONBody[ReleaseHeld | None] = None
) -> Released:
    """Send what a restore held back until a person looked."""
    channel = data.channel if data else None
    count = await request.parts.outbox.release_held(channel, request.parts.clock.now(), request.by)
    if channel and not count and request.parts.providers.facts(ChannelId(channel)) is None:
        raise NotFound(
            f"No channel {channel} is installed, and nothing of it is held; see wunder providers."
        )
    request.parts.wake()
    return Released(count)


def _not_corrected(old: StoredDelivery) -> Conflict:
    """Say why: it is not over or arrived, somebody was first, or its account is deleted."""
    state = {"state": old.state, "successor_id": old.successor_id}
    if old.successor_id:
        words = f"It was corrected before; in its place went out {old.successor_id}: correct that."
        return Conflict(words, reason="already_corrected", state=state)
    if old.state not in CORRECTABLE:
        words = "Only what failed, expired, was cancelled or may not have arrived can be corrected."
        allowed = sorted(one.value for one in CORRECTABLE)
        return Conflict(words, reason="delivery_state", state={**state, "allowed": allowed})
    words = "Its account is deleted, or its message was never finished."
    return Conflict(words, reason="nothing_to_correct", state=state)


async def _found(
    delivery_id: FromPath[str], request: AdminRequest
) -> tuple[StoredDelivery, list[StoredAttempt]]:
    found = await request.parts.ledger.delivery(DeliveryId(delivery_id))
    if found is None:
        raise NotFound
    return found


HANDLERS = (
    list_deliveries,
    get_delivery,
    list_attempts,
    replay_deliveries,
    cancel_deliveries,
    correct_delivery,
    release_held,
)
