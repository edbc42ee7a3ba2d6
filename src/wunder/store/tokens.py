"""`api_tokens` and the check value of the key: what proves who may do what. Only hashes are stored."""

from typing import Any

from wunder.errors import Conflict, NotFound
from wunder.model.ids import At, TokenId
from wunder.model.token import ApiToken
from wunder.store.clean import from_json, to_json
from wunder.store.reads import Reads
from wunder.store.unit import RowExists, Transaction, Works

_COLUMNS = "token_id, name, token_hash, scopes, created_at, created_by, expires_at, revoked_at"
_ALL = f"SELECT {_COLUMNS} FROM api_tokens ORDER BY created_at, token_id"  # noqa: S608 - constant
_INSERT = f"INSERT INTO api_tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
_REVOKE = "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE token_id = ?"
_KEY = "key_check"
_SEALED = (
    "SELECT 1 FROM channel_accounts WHERE length(secrets) > 0 LIMIT 1",
    "SELECT 1 FROM agents WHERE length(secrets) > 0 LIMIT 1",
    "SELECT 1 FROM channel_spool LIMIT 1",
    "SELECT 1 FROM channel_quarantine WHERE is_sealed = 1 LIMIT 1",
)


class SqlTokenTable:
    """Port TokenTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def all(self) -> list[ApiToken]:
        """Every token, revoked ones too, oldest first."""
        return [_row(row) for row in await self._reader.rows(_ALL)]

    async def add(self, token: ApiToken) -> None:
        """Store a token. Raises: Conflict `token_exists`."""

        async def unit(tx: Transaction) -> None:
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
                await tx.run(_INSERT, values)
            except RowExists as error:
                raise Conflict("There is such a token already.", reason="token_exists") from error
            tx.tell("tokens")

        await self._writer.work(unit)

    async def revoke(self, token_id: TokenId, now: At) -> None:
        """End a token; a second time changes nothing. Raises: NotFound."""

        async def unit(tx: Transaction) -> None:
            if not (await tx.run(_REVOKE, (now, token_id))).rowcount:
                raise NotFound("No such token; list the tokens to see those there are.")
            tx.tell("tokens")

        await self._writer.work(unit)


class SqlKeyCheck:
    """Port KeyCheck."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def get(self) -> bytes | None:
        """The value written when the key was made."""
        rows = await self._reader.rows("SELECT value FROM meta WHERE key = ?", _KEY)
        return bytes.fromhex(rows[0][0]) if rows else None

    async def holds_ciphertext(self) -> bool:
        """True when something in this store was sealed: a new key must not be made for it."""
        return any([await self._reader.rows(sql) for sql in _SEALED])

    async def put(self, value: bytes) -> None:
        """Write the value once. Raises: Conflict `key_check_exists` when another one is there."""

        async def unit(tx: Transaction) -> None:
            row = await tx.first("SELECT value FROM meta WHERE key = ?", (_KEY,))
            if row is None:
                await tx.run("INSERT INTO meta (key, value) VALUES (?, ?)", (_KEY, value.hex()))
            elif row[0] != value.hex():
                words = "This store was sealed with another key."
                raise Conflict(words, reason="key_check_exists")

        await self._writer.work(unit)


def _row(row: tuple[Any, ...]) -> ApiToken:
    return ApiToken(row[0], row[1], row[2], tuple(from_json(row[3])), *row[4:])
