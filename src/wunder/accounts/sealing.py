"""How the secrets of one row are sealed: their document under the row's own context (rule 8)."""

from typing import Any

import msgspec

from wunder.errors import StoreBroken
from wunder.model.account import AccountRow
from wunder.model.binding import AgentRow
from wunder.ports import Sealer


def account_context(account_uid: str, secret_rev: int) -> str:
    """Return what binds an account's secrets to their row and revision."""
    return f"{account_uid}|secrets|{secret_rev}"


def agent_context(agent_id: str, secret_rev: int) -> str:
    """Return what binds an agent's secrets to their row and revision."""
    return f"agent:{agent_id}|secrets|{secret_rev}"


def seal_secrets(sealer: Sealer, secrets: dict[str, Any], context: str) -> bytes:
    """Seal a document of secrets; no secrets need no sealing."""
    return sealer.seal(msgspec.json.encode(secrets), context) if secrets else b""


def account_secrets(sealer: Sealer, row: AccountRow) -> dict[str, Any]:
    """Open an account's secrets. Raises: StoreBroken."""
    return _open(sealer, row.secrets, account_context(row.account_uid, row.secret_rev))


def agent_secrets(sealer: Sealer, row: AgentRow) -> dict[str, Any]:
    """Open an agent's secrets. Raises: StoreBroken."""
    return _open(sealer, row.secrets, agent_context(row.agent_id, row.secret_rev))


def _open(sealer: Sealer, sealed: bytes, context: str) -> dict[str, Any]:
    if not sealed:
        return {}
    try:
        return msgspec.json.decode(sealer.open(sealed, context), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise StoreBroken("A sealed value holds no document; restore it from a backup.") from error
