"""A request of the administrators' API: who asks, what stands behind, body and query by our rules."""

import asyncio
from typing import Any, TypeVar

import msgspec
from litestar.connection import Request

from wunder.api.json_body import decode_body, fault_of
from wunder.api.parts import ApiParts
from wunder.api.scopes import holds
from wunder.errors import FieldFault, Invalid, NotAllowed, RequestRefused
from wunder.model.token import ApiToken

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
    def caller(self) -> ApiToken:
        """The token that was let through."""
        token: ApiToken = self.auth
        return token

    @property
    def by(self) -> str:
        """Who asks, for records: the token's name, and what tells it from one of the same name."""
        return f"{self.caller.name}#{self.caller.token_id[:8]}"

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
        """Ask for the scope `secrets`, where a request writes any. Raises: NotAllowed."""
        if not holds(self.caller, "secrets"):
            raise NotAllowed("This token lacks the scope `secrets`.")
