"""Who asks: an API token, or a person with a session of the console; and what they may do."""

import hashlib
from dataclasses import dataclass

from wunder.api.scopes import holds, scopes_of
from wunder.model.ids import At
from wunder.model.token import ApiToken
from wunder.people.sign_in import Opened


@dataclass(frozen=True, slots=True)
class Caller:
    """Exactly one of `token` and `person` is set."""

    token: ApiToken | None = None
    person: Opened | None = None

    def holds(self, scope: str) -> bool:
        """Tell whether the caller may do what asks for `scope`."""
        return holds(self.scopes, scope)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the token was given, or what the person's role lets them do."""
        if self.token is not None:
            return self.token.scopes
        return scopes_of(self.person.user.role) if self.person is not None else ()

    @property
    def user_id(self) -> str:
        """Whose own accounts these are; "" for a token, which owns nothing."""
        return self.person.user.user_id if self.person is not None else ""

    @property
    def name(self) -> str:
        """Who it is, for records: a user, or a token and what tells it from one of the same name."""
        if self.person is not None:
            return f"user:{self.person.user.name}"
        return f"{self.token.name}#{self.token.token_id[:8]}" if self.token is not None else ""

    def is_fresh(self, now: At, confirmed_s: int) -> bool:
        """True for a token, and for a person who gave the password within `confirmed_s`."""
        if self.person is None:
            return True
        return now - self.person.session.confirmed_at < confirmed_s * 1000


def csrf_of(cookie: str) -> str:
    """Return the CSRF token that belongs to a session: made of the cookie, which it does not tell."""
    return hashlib.sha256(b"wunder csrf " + cookie.encode("utf-8", "surrogatepass")).hexdigest()
