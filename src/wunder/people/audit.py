"""Audit: who changed what, when, from where, and what came of it."""

from typing import Any

import msgspec

from wunder.model.ids import At


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `audit`. `detail` holds differences; secrets in it are `{set, hmac8}` (rule 18)."""

    at: At
    actor: str  # `user:alice`, or a token's name and the beginning of its id
    action: str  # past tense, such as `account_changed`
    subject: str = ""  # on what, such as `qq/main`
    result: str = "ok"  # or the code of the refusal
    detail: dict[str, Any] = {}
    remote_addr: str = ""
    request_id: str = ""
    seq: int = 0  # set by the store
