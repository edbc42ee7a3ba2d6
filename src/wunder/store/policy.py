"""The store's limits and patience: every number it obeys, with its unit."""

import msgspec

MIB = 1024 * 1024
DAY_S = 86_400


class StorePolicy(msgspec.Struct, frozen=True):
    """Numbers of the delivery semantics are choices of the design; those of the engine were measured.

    Source: docs/adr/0010 to 0014; benchmarks/store_group_commit.py.
    """

    free_floor_bytes: int = 256 * MIB  # below it intake answers 503
    ballast_bytes: int = 64 * MIB  # freed when the disk is full, so that outcomes still commit
    busy_timeout_s: float = 2.0
    settle_within_s: float = 0.005  # an outcome waits so long to share another's commit
    max_queued_units: int = 8_192
    max_batch_units: int = 512
    cache_bytes: int = 8 * MIB
    checkpoint_wal_bytes: int = 4 * MIB  # grown by so much, or by so many rows
    checkpoint_rows: int = 8_192
    restart_wal_bytes: int = 16 * MIB  # begun anew in place: a long log makes every read slower
    truncate_wal_bytes: int = 64 * MIB
    check_at_open_up_to_bytes: int = 16 * MIB  # larger files are checked while serving
    spool_rows: int = 1_000  # per account
    spool_bytes: int = 16 * MIB  # per account
    quarantine_rows: int = 1_000  # per account
    receipts_kept_s: int = DAY_S
    events_kept: int = 100_000
    events_queued: int = 10_000
    raw_result_bytes: int = 16_384
    delivery_ttl_s: int = DAY_S
    max_retries: int = 5
    backoff_s: float = 2.0
    max_backoff_s: float = 60.0
    tombstone_s: float = 60.0
    apology: str = "抱歉，暂时无法处理这条消息。 Sorry, this message cannot be processed right now."
    housekeeping_every_s: float = 5.0
    housekeeping_rows: int = 500  # per step, so that messages never wait long behind it
    clock_step_s: float = 5.0
    freeze_s: float = 60.0  # expiry rests so long after a step of the wall clock
    database_url: str = ""  # postgresql://..; empty: SQLite in the data directory
    database_url_file: str = ""  # a file that holds it; relative: a credential of systemd
    database_connect_s: float = 3.0
    database_backoff_s: float = 0.2  # doubled up to the cap while the server is away
    database_backoff_cap_s: float = 2.0  # a node is back so long after its server, at the latest
    database_stall_s: float = 5.0  # a node that stops inside a transaction loses it after this
    lease_s: float = 15.0  # a node that was not heard of for so long is dead: others take its work
