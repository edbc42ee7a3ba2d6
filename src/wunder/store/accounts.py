"""`channel_accounts`: accounts with sealed secrets; deleting one leaves a tombstone and cancels its work."""

from typing import Any

import msgspec

from wunder.errors import Conflict, NotFound
from wunder.model.account import AccountConfig, AccountRow
from wunder.model.conversation import LaneKind
from wunder.model.ids import AccountUid, At, DeliveryId
from wunder.model.trail import StepName
from wunder.store.clean import to_json
from wunder.store.held import Lanes
from wunder.store.reads import Reads
from wunder.store.standing import tell
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS
from wunder.store.unit import RowExists, Transaction, Works

_COLUMNS = """account_uid, channel, account_id, display_name, status, config, secrets, rev, secret_rev,
  webhook_key, created_at, updated_at, owner_user_id, external_id"""
_ALL = f"SELECT {_COLUMNS} FROM channel_accounts WHERE status <> 'deleted' ORDER BY channel, account_id"  # noqa: S608 - constant
_COUNTS = "SELECT channel, count(*) FROM channel_accounts GROUP BY channel"
_ONE = f"SELECT {_COLUMNS} FROM channel_accounts WHERE account_uid = ?"  # noqa: S608 - constant
_INSERT = (
    f"INSERT INTO channel_accounts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
)
_UPDATE = """
UPDATE channel_accounts SET account_id = ?, display_name = ?, status = ?, config = ?, secrets = ?,
  rev = rev + 1, secret_rev = ?, webhook_key = ?, updated_at = ?, owner_user_id = ?, external_id = ?
WHERE account_uid = ?
"""
_BURY = """
UPDATE channel_accounts SET status = 'deleted', secrets = ?1, deleted_at = ?2, updated_at = ?2,
  rev = rev + 1 WHERE account_uid = ?3
"""
_LANES = (
    "SELECT lane_id FROM channel_lanes WHERE kind = ? AND account_uid = ? AND waiting > 0"
    " ORDER BY account_uid, peer_kind, peer_id, thread_id"
)
_DELIVERIES = f"""
SELECT delivery_id, state FROM channel_outbox WHERE lane_id = ? AND {LIVE_DELIVERIES}
"""  # noqa: S608 - constant
_CANCEL = f"""
UPDATE channel_outbox SET state = 'cancelled', settled_at = ?, retry_at = NULL, fence = fence + 1,
  error_kind = 'account_deleted' WHERE lane_id = ? AND {LIVE_DELIVERIES}
"""  # noqa: S608 - constant
_TURNS = f"SELECT state FROM channel_messages WHERE lane_id = ? AND {LIVE_TURNS}"  # noqa: S608 - constant
_END_TURNS = f"""
UPDATE channel_messages SET state = 'failed', reason = 'account_deleted', finished_at = ?,
  fence = fence + 1 WHERE lane_id = ? AND {LIVE_TURNS}
"""  # noqa: S608 - constant

_config = msgspec.json.Decoder(AccountConfig)


class SqlAccountTable:
    """Port AccountTable."""

    def __init__(self, writer: Works, reader: Reads, lanes: Lanes) -> None:
        self._writer = writer
        self._reader = reader
        self._lanes = lanes

    async def all(self) -> list[AccountRow]:
        """Every account that was not deleted."""
        return [_row(row) for row in await self._reader.rows(_ALL)]

    async def counts(self) -> dict[str, int]:
        """How many accounts each channel ever had, deleted ones too."""
        return dict(await self._reader.rows(_COUNTS))

    async def add(self, row: AccountRow) -> None:
        """Add an account. Raises: Conflict `account_exists`, `external_id_in_use`."""
        await self._writer.work(lambda tx: _add(tx, row))

    async def update(self, row: AccountRow, expected_rev: int | None) -> AccountRow:
        """Replace an account's columns; the row as stored. Raises: Conflict `rev`, NotFound."""
        return await self._writer.work(lambda tx: _update(tx, row, expected_rev))

    async def remove(self, account_uid: AccountUid, now: At) -> int:
        """Leave a tombstone; cancel deliveries and turns; how many deliveries. Raises: NotFound."""
        return await self._writer.work(lambda tx: _remove(tx, self._lanes, account_uid, now))


def _row(row: tuple[Any, ...]) -> AccountRow:
    values = list(row)
    values[5] = _config.decode(row[5])
    return AccountRow(*values)


async def _add(tx: Transaction, row: AccountRow) -> None:
    values = (
        row.account_uid,
        row.channel,
        row.account_id,
        row.display_name,
        row.status,
        to_json(row.config),
        row.secrets,
        row.rev,
        row.secret_rev,
        row.webhook_key,
        row.created_at,
        row.updated_at,
        row.owner_user_id,
        row.external_id,
    )
    try:
        await tx.run(_INSERT, values)
    except RowExists as error:
        raise _taken(row, error) from error
    tx.moved("channel_accounts", None, row.status)
    tx.tell("accounts")


async def _update(tx: Transaction, row: AccountRow, expected_rev: int | None) -> AccountRow:
    current = await tx.first(_ONE + tx.for_update, (row.account_uid,))
    if current is None or current[4] == "deleted":
        raise NotFound("No such account; list the accounts to see those there are.")
    stored = _row(current)
    if expected_rev is not None and stored.rev != expected_rev:
        raise Conflict(
            f"The account was changed meanwhile: it has rev {stored.rev}.",
            reason="rev",
            state={"rev": stored.rev, "updated_at": stored.updated_at, "status": stored.status},
        )
    values = (
        row.account_id,
        row.display_name,
        row.status,
        to_json(row.config),
        row.secrets,
        row.secret_rev,
        row.webhook_key,
        row.updated_at,
        row.owner_user_id,
        row.external_id,
        row.account_uid,
    )
    try:
        await tx.run(_UPDATE, values)
    except RowExists as error:
        raise _taken(row, error) from error
    tx.moved("channel_accounts", stored.status, row.status)
    tx.tell("accounts")
    return _row((await tx.first(_ONE + tx.for_update, (row.account_uid,))) or current)


def _taken(row: AccountRow, error: RowExists) -> Conflict:
    # One engine names the index, the other its columns.
    if any(word in str(error) for word in ("external_id", "channel_accounts_identity")):
        return Conflict(
            "Another enabled account of this channel is the same login on the platform.",
            reason="external_id_in_use",
            state={"external_id": row.external_id},
        )
    return Conflict(
        f"There is an account named {row.account_id} on this channel already.",
        reason="account_exists",
        state={"channel": row.channel, "account_id": row.account_id},
    )


async def _remove(tx: Transaction, lanes: Lanes, account_uid: AccountUid, now: At) -> int:
    current = await tx.first(_ONE + tx.for_update, (account_uid,))
    if current is None or current[4] == "deleted":
        raise NotFound("No such account; list the accounts to see those there are.")
    account = _row(current)
    cancelled = 0
    for (lane_id,) in await tx.run(_LANES, (LaneKind.DELIVERY.value, account_uid)):
        cancelled += await _cancel_deliveries(tx, lanes, lane_id, now)
    for (lane_id,) in await tx.run(_LANES, (LaneKind.TURN.value, account_uid)):
        await _end_turns(tx, lanes, lane_id, now)
    for table in ("channel_leases", "channel_state", "channel_user_bindings"):
        await tx.run(f"DELETE FROM {table} WHERE account_uid = ?", (account_uid,))  # noqa: S608 - constants above
    gone = await tx.run("DELETE FROM channel_spool WHERE account_uid = ?", (account_uid,))
    tx.counts["channel_spool"] -= gone.rowcount
    # Bindings name labels: a new account of the same name must inherit nothing.
    label = (account.channel, account.account_id)
    await tx.run("DELETE FROM channel_bindings WHERE channel = ? AND account_id = ?", label)
    await tx.run(_BURY, (b"", now, account_uid))
    tx.moved("channel_accounts", account.status, "deleted")
    tx.tell("accounts")
    return cancelled


async def _cancel_deliveries(tx: Transaction, lanes: Lanes, lane_id: int, now: At) -> int:
    lane = await lanes.hold(tx, LaneKind.DELIVERY, lane_id)
    rows = await tx.run(_DELIVERIES, (lane_id,))
    for delivery_id, state in rows:
        tx.moved("channel_outbox", state, "cancelled")
        found = await lanes.look(tx, DeliveryId(delivery_id))
        if found is not None:
            of = (DeliveryId(delivery_id), found.standing)
            tell(tx, StepName.CANCELLED, *of, now, why="account_deleted")
    await tx.run(_CANCEL, (now, lane_id))
    await lane.empty()
    await lane.rest(None)
    return len(rows)


async def _end_turns(tx: Transaction, lanes: Lanes, lane_id: int, now: At) -> None:
    lane = await lanes.hold(tx, LaneKind.TURN, lane_id)
    for (state,) in await tx.run(_TURNS, (lane_id,)):
        tx.moved("channel_messages", state, "failed")
    await tx.run(_END_TURNS, (now, lane_id))
    await lane.empty()
