"""Heavy libraries of this room, loaded when first used: argon2 with its binding, JOSE for OIDC."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wunder.people.argon2id import Argon2id


def argon2id() -> "Argon2id":
    """Return the password hash."""
    from wunder.people.argon2id import Argon2id  # noqa: PLC0415 - see line 1

    return Argon2id()


def id_tokens() -> Any:
    """Return the module that checks ID tokens."""
    from wunder.people import id_token  # noqa: PLC0415 - see line 1

    return id_token
