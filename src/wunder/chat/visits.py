"""A visitor's token, and a site's word for who its user is (security rule 17; pure).

Both are `<base64url of JSON>.<hex hmac-sha256 of that text>`. The token is signed with the gateway's
own key and fixes account, visitor, origin and end; a claim is signed with the site's secret.
"""

import base64
import binascii
import hmac
from typing import Annotated, TypeVar

import msgspec

from wunder.errors import NotAllowed
from wunder.model.ids import AccountUid

MAX_TOKEN_CHARS = 2_048
_GUEST, _KNOWN = "guest:", "site:"

_Name = Annotated[str, msgspec.Meta(max_length=100)]
T = TypeVar("T")


class Visitor(msgspec.Struct, frozen=True):
    """Who talks through a page, and through which: everything that a token says."""

    account_uid: AccountUid
    peer_id: str
    origin: str
    ends_s: int  # Unix seconds
    name: str = ""


class Claim(msgspec.Struct, frozen=True):
    """What a company's site says of its user; `exp` is Unix seconds."""

    id: _Name
    exp: int
    name: _Name = ""

    @property
    def peer_id(self) -> str:
        """Never that of a guest, whatever the site calls its users."""
        return f"{_KNOWN}{self.id}"


def guest_id(random_hex: str) -> str:
    """Return the peer id of somebody nobody vouches for."""
    return f"{_GUEST}{random_hex}"


def is_guest(peer_id: str) -> bool:
    """Tell whether nobody vouches for this peer."""
    return peer_id.startswith(_GUEST)


def token_of(visitor: Visitor, key: bytes) -> str:
    """Return the token of a visitor."""
    return _signed(msgspec.json.encode(visitor), key)


def visitor_of(token: str, key: bytes, now_s: int) -> Visitor:
    """Return whom a token names.

    Raises:
        NotAllowed: it is none of ours, was changed, or has ended.
    """
    visitor = _opened(token, key, Visitor)
    if visitor is None or now_s >= visitor.ends_s:
        raise NotAllowed("This visit has ended: open the page again.")
    return visitor


def claim_of(text: str, site_secret: str, now_s: int) -> Claim:
    """Return what the site says of its user.

    Raises:
        NotAllowed: the account has no site secret, or the claim is not signed with it, or has ended.
    """
    claim = _opened(text, site_secret.encode(), Claim) if site_secret else None
    if claim is None or now_s >= claim.exp or not (claim.id and claim.id.isprintable()):
        raise NotAllowed("The site's word for who this is does not hold, or not any more.")
    return claim


def _signed(document: bytes, key: bytes) -> str:
    said = base64.urlsafe_b64encode(document).rstrip(b"=")
    return f"{said.decode()}.{hmac.digest(key, said, 'sha256').hex()}"


def _opened(text: str, key: bytes, wanted: type[T]) -> T | None:
    said, dot, signature = text.partition(".")
    if not dot or len(text) > MAX_TOKEN_CHARS or not text.isascii():
        return None
    expected = hmac.digest(key, said.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, signature):
        return None
    try:
        document = base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))
        return msgspec.json.decode(document, type=wanted)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
