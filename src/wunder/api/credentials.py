"""Where credentials of ours stand in a request, and which headers a plugin must never see (rule 2)."""

from collections.abc import Iterable

from wunder.api.asgi import Header

#: How every API token begins, as accounts/tokens.py makes them; a test compares the two.
TOKEN_PREFIX = "wndr_"  # noqa: S105 - the public beginning of tokens, not one of them
CSRF_HEADER = "x-wunder-csrf"

_NEVER_PASSED = frozenset({b"cookie"})
#: Headers of this kind are the gateway's own word: its CSRF header, and to a channel who it is that
#: writes on a chat page (ADR 0087). None that comes from outside is passed on.
OWN_HEADERS = "x-wunder-"
_NEVER_PASSED_KINDS = (b"proxy-", OWN_HEADERS.encode())


def bearer_of(headers: Iterable[Header]) -> str:
    """Return the bearer token of a request, "" where there is none or more than one."""
    values = [value for name, value in headers if name == b"authorization"]
    if len(values) != 1:
        return ""
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def passed_on(
    headers: Iterable[Header], *, passes_authorization: bool
) -> tuple[tuple[str, str], ...]:
    """Return the headers that a provider may see, in their order.

    Args:
        headers: names in lower case, as the listener gives them.
        passes_authorization: whether the manifest declares that the platform uses Authorization.
    """
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name not in _NEVER_PASSED
        and not name.startswith(_NEVER_PASSED_KINDS)
        and (name != b"authorization" or (passes_authorization and not _is_ours(value)))
    )


def _is_ours(value: bytes) -> bool:
    return TOKEN_PREFIX.encode() in value
