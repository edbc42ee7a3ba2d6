"""The settings of people: how long they stay signed in, and how often a wrong password is taken."""

from typing import Literal

import msgspec


class PeoplePolicy(msgspec.Struct, frozen=True):
    """Choices unless said otherwise; why: docs/adr/0080.

    `session_s` ends a session whatever happens, `idle_s` one that nobody used; `confirmed_s` is how
    long a password counts for approvals, trust and secrets (rule 16: at most 5 minutes).
    `secure_cookie` auto: the cookie is marked Secure where the page came over TLS, here or at a trusted
    proxy.
    """

    session_s: int = 7 * 86_400
    idle_s: int = 12 * 3_600
    confirmed_s: int = 300
    secure_cookie: Literal["auto", "always"] = "auto"
    tries: int = 5  # wrong passwords of one source for one name before the first lock
    lock_s: int = 30  # doubles with each further lock
    lock_max_s: int = 900
    source_tries: int = 30  # wrong passwords of one source for any name within `lock_max_s`
    hashes_at_once: int = 2  # rule 16
    hashes_waiting: int = 16


class OidcPolicy(msgspec.Struct, frozen=True):
    """Sign-in by somebody else's server (OpenID Connect); off while `issuer` is empty.

    `client_secret_file` holds the secret, which is never written here. A person gets the first role of
    admin, operator, viewer, user whose list holds a value of the claim `role_claim` (`a.b` looks into a);
    with none of them `default_role`, and with "" no entry. A private address of the server has to be in
    `egress.allow_hosts`.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret_file: str = ""
    label: str = "Single sign-on"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    role_claim: str = "groups"
    admin_values: tuple[str, ...] = ()
    operator_values: tuple[str, ...] = ()
    viewer_values: tuple[str, ...] = ()
    user_values: tuple[str, ...] = ()
    default_role: Literal["", "viewer", "operator", "admin", "user"] = ""
