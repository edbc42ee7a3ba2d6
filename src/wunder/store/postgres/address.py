"""Where the database is, and how this gateway speaks with it; the secret part is never shown."""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from wunder.errors import ConfigInvalid, StoreUnavailable, WunderError
from wunder.store.policy import StorePolicy

_SCHEMES = ("postgresql", "postgres")
_TAKES_NO_WRITES = "SELECT current_setting('transaction_read_only') = 'on'"
#: Plans are made once and by index: tables grow from nothing, and a plan made while they were empty
#: would read them whole. Rows come as arrays, whose length no estimate knows.
_PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_hashagg": "off",
    "enable_bitmapscan": "off",
    "enable_material": "off",
    "jit": "off",
}


class Address:
    """A database by its URL. `shown` has neither user nor password."""

    def __init__(self, url: str, policy: StorePolicy) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ConfigInvalid("store.database_url begins with postgresql://")
        self._url = url
        self.policy = policy
        sockets = parse_qs(parts.query).get("host", [""])[-1]
        place = f"?host={sockets}" if sockets and not parts.hostname else ""
        self.shown = f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}{place}"

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    def said(self, error: WunderError) -> WunderError:
        """The same error with the place it concerns, for who starts a program."""
        if isinstance(error, StoreUnavailable):
            return StoreUnavailable(f"{self.shown}: {error.detail}")
        return error

    async def connect(
        self, role: str, *, is_writer: bool = False, patience_s: float | None = None
    ) -> "asyncpg.Connection[asyncpg.Record]":
        """Make a connection.

        Args:
            role: what the server's list of sessions shows of it.
            is_writer: plans by index only.
            patience_s: how long a statement may take, its way there and back included.
        """
        policy = self.policy
        limits = {
            # The server ends the transaction of a node that is paused inside it; others wait no longer.
            "idle_in_transaction_session_timeout": _ms(policy.database_stall_s),
            "lock_timeout": _ms(policy.database_stall_s * 1.5),
            "statement_timeout": _ms(policy.database_stall_s * 4),
            "default_transaction_isolation": "read committed",
        }
        try:
            conn = await asyncpg.connect(
                self._url,
                timeout=policy.database_connect_s,
                command_timeout=patience_s,
                statement_cache_size=0,
                server_settings={
                    "application_name": f"wunder {role}",
                    **limits,
                    **(_PLANS if is_writer else {}),
                },
            )
        except ValueError as error:
            # asyncpg quotes the URL in its words.
            raise ConfigInvalid("store.database_url is not a URL of PostgreSQL") from error
        if is_writer:
            await _let_write(conn)
        return conn


def address_of(policy: StorePolicy, credentials_dir: Path | None = None) -> Address | None:
    """The database named by the settings; None where they name none.

    Raises: ConfigInvalid for two URLs, an unreadable file, or what is no URL of PostgreSQL.
    """
    if not policy.database_url_file:
        return Address(policy.database_url, policy) if policy.database_url else None
    if policy.database_url:
        raise ConfigInvalid("give one of store.database_url and store.database_url_file")
    path = Path(policy.database_url_file)
    if not path.is_absolute() and credentials_dir is not None:
        path = credentials_dir / path
    try:
        return Address(path.read_text("utf-8").strip(), policy)
    except OSError as error:
        words = os.strerror(error.errno or 0)
        if not path.is_absolute():
            words += "; outside systemd's unit name the file: WUNDER_STORE_DATABASE_URL_FILE=/.."
        raise ConfigInvalid(f"store.database_url_file {path}: {words}") from error


async def _let_write(conn: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Refuse a server that takes no writes: else each statement would be refused, and nobody told why."""
    try:
        if await conn.fetchval(_TAKES_NO_WRITES):
            raise asyncpg.ReadOnlySQLTransactionError("the server takes no writes")
    except BaseException:
        conn.terminate()
        raise


def _ms(seconds: float) -> str:
    return str(int(seconds * 1000))
