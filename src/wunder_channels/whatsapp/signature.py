"""Prove that a request comes from Meta: the signature of a POST, the handshake of a GET."""

import hmac
import re

from wunder_sdk import (
    AccountConfigInvalid,
    Forbidden,
    ImmediateResponse,
    MalformedEvent,
    Request,
    SignatureInvalid,
    text_response,
)

SIGNATURE_HEADER = "X-Hub-Signature-256"
_SIGNATURE = re.compile(r"sha256=([0-9A-Fa-f]{64})\Z")
#: Meta's challenge is a number of ten digits; what is longer is not its challenge (choice).
_CHALLENGE_MAX = 256


def verify(app_secret: str, http: Request) -> None:
    """Check X-Hub-Signature-256, the HMAC-SHA256 of the raw body under the app secret.

    No time is signed: repeats are recognised by their message ids. The SHA-1 header that Meta
    sends beside it proves nothing.

    Raises:
        SignatureInvalid: Missing, repeated, not 32 bytes of hex, or of another body or secret.
        AccountConfigInvalid: There is no app secret; a key of no bytes would sign for anybody.

    Source: Meta, Webhooks, Validate payloads (read 2026-07).
    """
    if not app_secret:
        raise AccountConfigInvalid("the app secret is missing")
    given = http.headers.get_all(SIGNATURE_HEADER)
    if len(given) != 1:
        raise SignatureInvalid(f"{SIGNATURE_HEADER} is {'repeated' if given else 'missing'}")
    found = _SIGNATURE.match(given[0])
    if found is None:
        raise SignatureInvalid(f"{SIGNATURE_HEADER} is not well formed")
    expected = hmac.digest(app_secret.encode(), http.body, "sha256")
    if not hmac.compare_digest(expected, bytes.fromhex(found[1])):
        raise SignatureInvalid("the signature does not fit this app's secret")


def answer_handshake(verify_token: str, http: Request) -> ImmediateResponse:
    """Answer Meta's GET: the challenge, byte for byte, to whoever knows the verify token.

    Raises:
        Forbidden: Another mode, or not the verify token.
        MalformedEvent: The token is right and there is no challenge.

    Source: Meta, Webhooks, Validating verification requests (read 2026-07).
    """
    modes, tokens, challenges = (
        http.query.get_all(f"hub.{name}") for name in ("mode", "verify_token", "challenge")
    )
    knows_token = len(tokens) == 1 and hmac.compare_digest(
        tokens[0].encode("utf-8", "surrogatepass"), verify_token.encode("utf-8", "surrogatepass")
    )
    if modes != ["subscribe"] or not knows_token or not verify_token:
        raise Forbidden("not a subscription with this account's verify token")
    if len(challenges) != 1 or not 1 <= len(challenges[0]) <= _CHALLENGE_MAX:
        raise MalformedEvent("the handshake carries no challenge")
    return text_response(challenges[0])
