"""A request of the administrators' API: who asks, what stands behind, body and query by our rules."""

import asyncio
from typing import Any, TypeVar

import msgspec
from litestar.connection import Request

from wunder.api.auditing import note_of
from wunder.api.caller import Caller
from wunder.api.json_body import decode_body, fault_of
from wunder.api.parts import ApiParts
from wunder.errors import FieldFault, Invalid, NotAllowed, RequestRefused
from wunder.people.sign_in import Opened, Whence

#: How OpenAPI describes the headers that a request reads here.
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The `rev` that the writer has seen; another one now: 409 with the current state.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Chosen by the caller, the same for a repeat: nothing is sent twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}

Query = TypeVar("Query", bound=msgspec.Struct)


class AdminRequest(Request[Any, Any, Any]):
    """What every handler is given."""

    @property
    def parts(self) -> ApiParts:
        """The desks and doors behind the API."""
        parts: ApiParts = self.app.state.parts
        return parts

    @property
    def caller(self) -> Caller:
        """Who was let through."""
        caller: Caller = self.auth
        return caller

    @property
    def by(self) -> str:
        """Who asks, for records: `user:` and a name, or a token's name and the beginning of its id."""
        return self.caller.name

    @property
    def user_id(self) -> str:
        """The person who asks; "" for a token."""
        return self.caller.user_id

    @property
    def session_of_person(self) -> Opened:
        """The session of a route that only people reach. Raises: NotAllowed."""
        if self.caller.person is None:
            raise NotAllowed("This is for people: a token has no session.")
        return self.caller.person

    @property
    def whence(self) -> Whence:
        """Where the request comes from, behind proxies that are believed."""
        agent: str = self.headers.get("user-agent", "")
        return Whence(note_of(self.scope).remote_addr, agent[:200])

    @property
    def is_over_tls(self) -> bool:
        """Whether the page came over TLS, here or at a proxy that is believed."""
        return note_of(self.scope).is_over_tls

    def note(self, actor: str, action: str, subject: str, **detail: Any) -> None:
        """Have the audit say this of the request, where no desk tells what it did."""
        note_of(self.scope).say(actor, action, subject, detail)

    async def json(self) -> Any:
        """Decode the body into the type of the handler's `data`.

        Raises: RequestRefused 400, 408, 415; Invalid with a pointer to each wrong field.
        """
        field = self.route_handler.parsed_data_field
        if field is None:
            return None
        if self.content_type[0] not in {"application/json", ""}:
            raise RequestRefused(415, "content_type")
        try:
            async with asyncio.timeout(self.parts.policy.body_timeout_s):
                body = await self.body()
        except TimeoutError:
            raise RequestRefused(408, "body_too_slow") from None
        return decode_body(body, field.annotation)

    def read_query(self, wanted: type[Query]) -> Query:
        """Return the query string as `wanted`; faults are named as `?field`. Raises: Invalid."""
        fields: dict[str, str] = {}
        for name, value in self.query_params.multi_items():
            if name in fields:
                fault = FieldFault(f"?{name[:64]}", "duplicate_key", "this parameter stands twice")
                raise Invalid("A parameter stands twice.", [fault])
            fields[name] = value
        try:
            return msgspec.convert(fields, wanted, strict=False)
        except msgspec.ValidationError as error:
            said = fault_of(str(error))
            place = "?" + said.pointer.removeprefix("/")
            words = "The query holds wrong parameters."
            raise Invalid(words, [FieldFault(place, said.code, said.message)]) from None

    def seen_rev(self) -> int | None:
        """Return the revision that `If-Match` names; None where it is absent or `*`.

        Raises: Invalid for anything but one whole number, quoted or not.
        """
        header = self.headers.get("if-match", "").strip()
        if header in {"", "*"}:
            return None
        number = header.removeprefix("W/").strip('"')
        if not (number.isascii() and number.isdigit() and len(number) <= 18):
            fault = FieldFault(
                "!If-Match", "rev", "a revision such as 3, from the `rev` of the row"
            )
            raise Invalid("The header If-Match is no revision.", [fault])
        return int(number)

    def idempotency_key(self) -> str:
        """Return the caller's key. Raises: Invalid where it is absent or too long."""
        key: str = self.headers.get("idempotency-key", "").strip()
        if not 0 < len(key) <= 255:
            fault = FieldFault("!Idempotency-Key", "required", "1 to 255 characters of your choice")
            raise Invalid("The header Idempotency-Key is needed.", [fault])
        return key

    def require_secrets(self) -> None:
        """Ask for the scope `secrets`, where a request writes any. Raises: NotAllowed, as require_fresh."""
        if not self.caller.holds("secrets"):
            who = "token" if self.caller.person is None else "role"
            raise NotAllowed(f"This {who} lacks the scope `secrets`.")
        self.require_fresh()

    def require_fresh(self) -> None:
        """Ask a person for the password where it was given too long ago (rule 16).

        Raises: RequestRefused 403 `password_needed`: give it to POST /wunder/session/confirm.
        """
        parts = self.parts
        if not self.caller.is_fresh(parts.clock.now(), parts.people.policy.confirmed_s):
            raise RequestRefused(403, "password_needed")
