"""One node's life: its name, its epoch, and the lease whose end hands its work to the others.

Every start has an epoch of its own. Claims carry it, and it is alive as long as `channel_leases` has
its row; the row's time is the database's. A node that was taken over begins a new life: whatever
it claimed before is somebody else's, and its late writes find another fence.
"""

import os
import re
from pathlib import Path

from wunder.errors import DataDirRefused, StoreUnavailable
from wunder.model.ids import At, new_id
from wunder.store.postgres.rounds import Ask, ask
from wunder.store.postgres.session import Session
from wunder.store.postgres.statements import Many, Parts
from wunder.store.postgres.tenure import Tenure
from wunder.store.postgres.transaction import Tx

NODE_FILE = "node_id"
#: Milliseconds by the database's clock, the only one that all nodes share.
DB_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::int8"
#: The number under which the transactions of a life's lease are locked.
TRANSACTION_OF = "hashtextextended({}, 8)"
_FACTS = "SELECT key, value FROM meta WHERE key NOT LIKE 'count.%'"
_PUT = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
_NEXT_EPOCH = """
INSERT INTO meta AS m (key, value) VALUES ('epoch', '1')
ON CONFLICT (key) DO UPDATE SET value = (m.value::int8 + 1)::text RETURNING value
"""
_TAKE = f"""
INSERT INTO channel_leases (name, node_id, epoch, lease_until) VALUES (?, ?, ?, {DB_NOW} + ?)
ON CONFLICT (name, account_uid) DO UPDATE SET epoch = excluded.epoch, lease_until = excluded.lease_until,
  fence = channel_leases.fence + 1
"""  # noqa: S608 - constant
#: A process that was killed may have a COMMIT under way at the server: what it claims must be found too.
_LET_END = "SELECT 1 FROM channel_leases WHERE name = ? AND account_uid = '' FOR UPDATE"
#: A take-over deletes the row and so waits for who is writing; a renewal does not. The other lock says
#: for as long as the transaction lasts, also where its connection is gone, that there is one.
_CHECK = Many(
    f"""
SELECT v.n, pg_advisory_xact_lock_shared({TRANSACTION_OF.format("v.name")})::text, {DB_NOW},
  EXISTS (SELECT 1 FROM channel_spool)
FROM {{v}} JOIN channel_leases l ON l.name = v.name AND l.account_uid = '' AND l.epoch = v.epoch
FOR KEY SHARE OF l
""",  # noqa: S608 - constant
    "name text, epoch int8",
    leads=True,
)
_RENEW = f"""
UPDATE channel_leases SET lease_until = {DB_NOW} + ? WHERE name = ? AND account_uid = '' AND epoch = ?
"""  # noqa: S608 - constant
_PROLONG = Many(
    f"""
UPDATE channel_leases l SET lease_until = {DB_NOW} + v.ms
FROM {{v}} WHERE l.name = v.name AND l.account_uid = '' AND l.epoch = v.epoch
""",  # noqa: S608 - constant
    "ms int8, name text, epoch int8",
)
#: A lease that ran out is deleted by who takes over; this stays.
_SEEN = f"UPDATE nodes SET seen_at = {DB_NOW} WHERE node_id = ?"  # noqa: S608 - constant
_RELEASE = """
UPDATE channel_leases SET lease_until = 0 WHERE name = ? AND account_uid = '' AND epoch = ?
"""
_NAME = re.compile(r"[0-9a-z-]{1,64}")


class Life:
    """This start of this node. `check` is part of each transaction."""

    def __init__(self, node_id: str, lease_s: float, tenure: Tenure) -> None:
        self.node_id = node_id
        self.epoch = 0
        self.incarnation = ""
        self.peers = 0  # other nodes that were alive when this one last looked
        self.lease_name = f"node/{node_id}"
        self.tenure = tenure
        self.spool_waits = True  # any request in any spool, as of the last check
        self._lease_ms = int(lease_s * 1000)

    async def begin(self, session: Session, now: At) -> None:
        """Begin a life, inside the caller's transaction; a new store gets its incarnation.

        Raises: DataDirRefused: this store was moved to another engine and must not live on.
        """
        facts = {str(key): value for key, value in await session.fetch(_FACTS)}
        if facts.get("migrated_to"):
            raise DataDirRefused(f"This store was moved to {facts['migrated_to']}; start that one.")
        for key, value in (("incarnation", new_id()), ("created_at", str(now))):
            if key not in facts:
                await session.fetch(_PUT, key, value)
        self.incarnation = str((await session.fetch(_FACTS + " AND key = 'incarnation'"))[0][1])
        await self.begin_anew(session)

    async def begin_anew(self, session: Session) -> None:
        """Take the next epoch and a lease for it."""
        await session.fetch(_LET_END, self.lease_name)
        asked_s = self.tenure.monotonic()
        self.epoch = int((await session.fetch(_NEXT_EPOCH))[0][0])
        self.tenure.granted(self.epoch, asked_s)
        await session.fetch(_TAKE, self.lease_name, self.node_id, self.epoch, self._lease_ms)

    async def check(self) -> bool:
        """False when this life was ended by another node. To be run as a unit, first in its transaction."""
        asked_s = self.tenure.monotonic()
        ((found,),) = await ask([Ask(_CHECK, [(self.lease_name, self.epoch)])])
        if not found:
            return False
        _, shared, self.spool_waits = found[0]
        self.tenure.heard(At(shared), asked_s)
        return True

    def prolonging(self) -> Parts:
        """Prolong the lease with whatever is about to be committed, once a third of it has passed.

        Who writes is alive, however long its work waited; its own renewal may wait behind it.
        """
        if self.tenure.left_s() * 1500 > self._lease_ms:
            return []
        return [(_PROLONG, [(self._lease_ms, self.lease_name, self.epoch)])]

    async def renew(self, tx: Tx) -> None:
        """Prolong the lease. It stays this node's while nobody took it, however late."""
        if not (await tx.execute(_RENEW, (self._lease_ms, self.lease_name, self.epoch))).rowcount:
            raise StoreUnavailable("another node has taken over this one's work")
        await tx.execute(_SEEN, (self.node_id,))

    async def release(self, tx: Tx) -> None:
        """End the lease: what is still claimed may be taken over at once."""
        await tx.execute(_RELEASE, (self.lease_name, self.epoch))


async def hear_the_time(session: Session, tenure: Tenure) -> None:
    """Ask for the time before anything is written by it."""
    asked_s = tenure.monotonic()
    tenure.heard(At((await session.fetch(f"SELECT {DB_NOW}"))[0][0]), asked_s)


def node_id_of(data_dir: Path) -> str:
    """This node's name, made with its data directory.

    Whoever holds the directory's lock is the only process of this name, so that a restart takes over
    its own work without waiting for a lease to end.
    """
    path = data_dir / NODE_FILE
    try:
        found = path.read_text("ascii").strip()
    except FileNotFoundError:
        found = new_id()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="ascii") as file:
            file.write(found + "\n")
            file.flush()
            os.fsync(file.fileno())
    if not _NAME.fullmatch(found):
        raise DataDirRefused(f"{path} does not hold a node's name; remove it for a new one.")
    return found
