"""Checks an ID token: signature by the server's keys, issuer, audience, nonce, times. Loaded when used."""

from collections.abc import Mapping
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

#: Signatures that need the server's private key; with `none` and HS* anybody could make one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
LEEWAY_S = 60


class BadIdToken(Exception):
    """The token does not prove who signed in."""


class UnknownKey(BadIdToken):
    """The token is signed with a key that is not among those known: they may have been changed."""


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge that belongs to a verifier (RFC 7636, S256)."""
    return str(create_s256_code_challenge(verifier))


def claims_of(
    token: str, keys: Mapping[str, Any], wanted: Mapping[str, str], now_s: int
) -> dict[str, Any]:
    """Return the claims of a token that holds.

    Args:
        token: the compact ID token.
        keys: the server's key set (JWKS).
        wanted: `issuer`, `client_id`, `nonce`, `access_token`.
        now_s: Unix seconds.

    Raises: BadIdToken; UnknownKey.
    """
    try:
        decoded = jwt.decode(
            token,
            KeySet.import_key_set(dict(keys)),  # type: ignore[arg-type]  # as the server sent it
            registry=JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False),
        )
        options = {
            "iss": {"essential": True, "value": wanted["issuer"]},
            "aud": {"essential": True, "value": wanted["client_id"]},
        }
        claims = CodeIDToken(decoded.claims, decoded.header, options, dict(wanted))
        claims.validate(now=now_s, leeway=LEEWAY_S)
    except InvalidKeyIdError as error:
        raise UnknownKey(type(error).__name__) from error
    except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
        raise BadIdToken(type(error).__name__) from error
    return dict(claims)
