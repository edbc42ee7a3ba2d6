"""API token: a bearer credential, stored as a hash, with scopes and an end."""

import msgspec

from wunder.model.ids import At, TokenId

#: `admin` is everything of the admin API, `operate` what daily business needs of it; approve, trust and
#: secrets are asked for by name (rule 16).
SCOPES = ("admin", "read", "operate", "approve", "secrets", "trust", "send")


class ApiToken(msgspec.Struct, frozen=True):
    """One row of `api_tokens`. `token_hash` is SHA-256 of a 256-bit random token."""

    token_id: TokenId
    name: str
    token_hash: bytes
    scopes: tuple[str, ...]
    created_at: At
    created_by: str
    expires_at: At | None = None
    revoked_at: At | None = None

    def is_valid(self, now: At) -> bool:
        """True while neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
