"""The outbox: deliveries, their attempts, and what operators do to them by hand."""

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.query import Cursor, Limit, Moment
from wunder.errors import FieldFault, Invalid, NotFound
from wunder.model.delivery import DeliveryState, StoredAttempt, StoredDelivery
from wunder.model.ids import At, DeliveryId
from wunder.ports import DeliveryFilter, Page

PATH = "/wunder/admin/channels/outbox"
TAGS = ["Outbox"]
#: How many deliveries one replay takes on; `has_more` asks for the next call (ADR 0052).
MAX_REPLAY = 1_000


class DeliveryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries; times are Unix milliseconds."""

    state: DeliveryState | None = None
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 50
    cursor: Cursor = ""


class ReplayFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries to replay; only finished ones move, whatever is named here."""

    states: tuple[DeliveryState, ...] = (DeliveryState.FAILED,)
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    since: Moment | None = None
    until: Moment | None = None


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `ids` or `filter`. `dry_run` only says which would be replayed."""

    ids: tuple[str, ...] = ()
    filter: ReplayFilter | None = None
    dry_run: bool = False


class Replayed(msgspec.Struct, frozen=True):
    """What was, or with `dry_run` would be, appended to its lane. `has_more`: call again."""

    ids: tuple[str, ...]
    dry_run: bool
    has_more: bool


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
    """Deliveries, newest first."""
    query = request.read_query(DeliveryQuery)
    where = DeliveryFilter(
        states=(query.state,) if query.state else (),
        channel=query.channel,
        account_id=query.account_id,
        peer_id=query.peer_id,
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
    status_code=200,
    opt={"example": {"filter": {"states": ["failed"], "channel": "parrot"}, "dry_run": True}},
)
async def replay_deliveries(data: JSONBody[Replay], request: AdminRequest) -> Replayed:
    """Append finished deliveries to their lanes: same row, same key, new place in the order.

    At most 1,000 a call; `has_more` says that the filter matches more.
    """
    if bool(data.ids) == (data.filter is not None):
        raise Invalid("Give either ids or a filter.", [FieldFault("/ids", "ids_or_filter", "")])
    if len(data.ids) > MAX_REPLAY:
        raise Invalid(f"At most {MAX_REPLAY} ids.", [FieldFault("/ids", "too_many", "too many")])
    ids = [DeliveryId(one) for one in data.ids]
    if data.filter is not None:
        ids = await request.parts.outbox.select(_filter(data.filter), MAX_REPLAY + 1)
    has_more, ids = len(ids) > MAX_REPLAY, ids[:MAX_REPLAY]
    if not data.dry_run and ids:
        ids = await request.parts.outbox.replay(ids, request.parts.clock.now(), request.by)
        request.parts.wake()
    return Replayed(tuple(ids), data.dry_run, has_more)


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
    request.parts.wake()
    return Released(count)


def _filter(wanted: ReplayFilter) -> DeliveryFilter:
    return DeliveryFilter(
        states=wanted.states,
        channel=wanted.channel,
        account_id=wanted.account_id,
        peer_id=wanted.peer_id,
        since=None if wanted.since is None else At(wanted.since),
        until=None if wanted.until is None else At(wanted.until),
    )


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
    release_held,
)
