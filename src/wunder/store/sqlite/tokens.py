"""`api_tokens` and the check value of the key: what proves who may do what. Only hashes are stored."""

import sqlite3
from typing import Any

from wunder.errors import Conflict, NotFound
from wunder.model.ids import At, TokenId
from wunder.model.token import ApiToken
from wunder.store.clean import from_json, to_json
from wunder.store.sqlite.reader import Reader
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer

_COLUMNS = "token_id, name, token_hash, scopes, created_at, created_by, expires_at, revoked_at"
_ALL = f"SELECT {_COLUMNS} FROM api_tokens ORDER BY created_at, token_id"  # noqa: S608 - constant
_INSERT = f"INSERT INTO api_tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
_REVOKE = "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE token_id = ?"
_KEY = "key_check"
_SEALED = (
    "SELECT 1 FROM channel_accounts WHERE secrets <> x'' LIMIT 1",
    "SELECT 1 FROM agents WHERE secrets <> x'' LIMIT 1",
    "SELECT 1 FROM channel_spool LIMIT 1",
)


class SqliteTokenTable:
    """Port TokenTable."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def all(self) -> list[ApiToken]:
        """Every token, revoked ones too, oldest first."""
        return await self._reader.read(lambda conn: [_row(row) for row in conn.execute(_ALL)])

    async def add(self, token: ApiToken) -> None:
        """Store a token. Raises: Conflict `token_exists`."""

        def unit(tx: Tx) -> None:
            values = (
                token.token_id,
                token.name,
                token.token_hash,
                to_json(list(token.scopes)),
                token.created_at,
                token.created_by,
                token.expires_at,
                token.revoked_at,
            )
            try:
                tx.execute(_INSERT, values)
            except sqlite3.IntegrityError as error:
                raise Conflict("There is such a token already.", reason="token_exists") from error

        await self._writer.commit(unit)

    async def revoke(self, token_id: TokenId, now: At) -> None:
        """End a token; a second time changes nothing. Raises: NotFound."""

        def unit(tx: Tx) -> None:
            if not tx.execute(_REVOKE, (now, token_id)).rowcount:
                raise NotFound("No such token; list the tokens to see those there are.")

        await self._writer.commit(unit)


class SqliteKeyCheck:
    """Port KeyCheck."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def get(self) -> bytes | None:
        """The value written when the key was made."""

        def query(conn: sqlite3.Connection) -> bytes | None:
            row = conn.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
            return None if row is None else bytes.fromhex(row[0])

        return await self._reader.read(query)

    async def holds_ciphertext(self) -> bool:
        """True when something in this store was sealed: a new key must not be made for it."""
        return await self._reader.read(
            lambda conn: any(conn.execute(sql).fetchone() is not None for sql in _SEALED)
        )

    async def put(self, value: bytes) -> None:
        """Write the value once. Raises: Conflict `key_check_exists` when another one is there."""

        def unit(tx: Tx) -> None:
            row = tx.one("SELECT value FROM meta WHERE key = ?", (_KEY,))
            if row is None:
                tx.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (_KEY, value.hex()))
            elif row[0] != value.hex():
                words = "This store was sealed with another key."
                raise Conflict(words, reason="key_check_exists")

        await self._writer.commit(unit)


def _row(row: tuple[Any, ...]) -> ApiToken:
    return ApiToken(row[0], row[1], row[2], tuple(from_json(row[3])), *row[4:])
