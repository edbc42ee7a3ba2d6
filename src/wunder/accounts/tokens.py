"""API tokens: 256 random bits shown once, kept as a hash, with scopes and an end (rule 16)."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence

import msgspec

from wunder.accounts.setup_token import SetupToken
from wunder.errors import FieldFault, Invalid, NotAllowed, NotFound
from wunder.model.ids import At, TokenId, new_id
from wunder.model.token import SCOPES, ApiToken
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import Clock, EventLog, TokenTable

log = get_logger(__name__)

#: How every token begins: a leaked one is found by scanners, and told from a platform's.
PREFIX = "wndr_"
TOKEN_BYTES = 32
MAX_NAME_CHARS = 100
#: Longest that anybody looks at what was sent as a token; ours have 48 characters.
MAX_TOKEN_CHARS = 200


class TokenDesk:
    """Makes, lists, checks and revokes tokens. `check` reads memory: `reload` at start."""

    def __init__(
        self,
        table: TokenTable,
        setup: SetupToken,
        events: EventLog,
        clock: Clock,
        random: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._table = table
        self._setup = setup
        self._events = events
        self._clock = clock
        self._random = random
        self._by_hash: dict[bytes, ApiToken] = {}
        self._this_run: dict[bytes, ApiToken] = {}

    async def reload(self) -> None:
        """Read the table again."""
        stored = {token.token_hash: token for token in await self._table.all()}
        self._by_hash = {**stored, **self._this_run}

    async def list(self) -> list[ApiToken]:
        """Return every token, revoked ones too, newest first. Hashes tell nothing of a token."""
        return sorted(await self._table.all(), key=lambda token: -token.created_at)

    async def create(
        self, name: str, scopes: Sequence[str], ttl_s: int | None, by: str
    ) -> tuple[ApiToken, str]:
        """Make a token; its text is returned here and never again.

        Args:
            name: for people, at most 100 characters.
            scopes: at least one of model.token.SCOPES.
            ttl_s: seconds until it ends; None: when it is revoked.
            by: who made it.

        Raises:
            Invalid: The name, a scope or the time is wrong.
        """
        _refuse(name, scopes, ttl_s)
        text = PREFIX + self._random(TOKEN_BYTES)
        now = self._clock.now()
        token = ApiToken(
            token_id=TokenId(new_id()),
            name=name,
            token_hash=_hash(text),
            scopes=tuple(sorted(set(scopes), key=SCOPES.index)),
            created_at=now,
            created_by=by,
            expires_at=None if ttl_s is None else At(now + ttl_s * 1000),
        )
        await self._table.add(token)
        self._by_hash[token.token_hash] = token
        self._record("token_created", token, by)
        return token, text

    async def revoke(self, token_id: str, by: str) -> None:
        """End a token at once. Raises: NotFound."""
        tokens = await self._table.all()
        token = next((one for one in tokens if one.token_id == token_id), None)
        if token is None:
            raise NotFound(f"There is no token {token_id}.")
        now = self._clock.now()
        # Memory first: whatever the store says, the token is refused from here on.
        self._by_hash[token.token_hash] = msgspec.structs.replace(token, revoked_at=now)
        await self._table.revoke(token.token_id, now)
        self._record("token_revoked", token, by)

    def check(self, text: str) -> ApiToken | None:
        """Return the valid token that a request sent, None for anything else.

        Looked up by the hash of 256 random bits: how long it takes tells nothing of a token's text.
        """
        if not text.startswith(PREFIX) or len(text) > MAX_TOKEN_CHARS:
            return None
        digest = _hash(text)
        token = self._by_hash.get(digest)
        if token is None or not hmac.compare_digest(token.token_hash, digest):
            return None
        return token if token.is_valid(self._clock.now()) else None

    def is_good(self, token: ApiToken) -> bool:
        """Tell whether a token that was let through would be let through again."""
        known = self._by_hash.get(token.token_hash)
        return known is not None and known.is_valid(self._clock.now())

    def admit_this_run(self) -> str:
        """Return a token with every scope that lives in this process only, for the CLI beside it."""
        text = PREFIX + self._random(TOKEN_BYTES)
        now = self._clock.now()
        token = ApiToken(TokenId(new_id()), "this run", _hash(text), SCOPES, now, "gateway")
        self._by_hash[token.token_hash] = self._this_run[token.token_hash] = token
        return text

    async def offer_setup(self, *, has_people: bool = False) -> str | None:
        """Write the first-run token where nobody can come in yet; the path of its file, or None."""
        if has_people or await self._table.all():
            await self._setup.withdraw()
            return None
        return await self._setup.offer(self._clock.now())

    async def redeem_setup(self, text: str, name: str) -> tuple[ApiToken, str]:
        """Turn the first-run token into an API token with every scope, once.

        Raises:
            NotAllowed: It is wrong, was used, or is older than 24 hours.
            Invalid: The name is wrong.
        """
        _refuse(name, SCOPES, None)
        await self.use_setup(text)
        return await self.create(name, SCOPES, None, "setup")

    async def use_setup(self, text: str) -> None:
        """Use the first-run token up. Raises: NotAllowed, as redeem_setup."""
        if not await self._setup.redeem(text, self._clock.now()):
            raise NotAllowed(
                "This setup token is wrong, was used or has ended; restart the gateway for a new one."
            )

    def _record(self, name: str, token: ApiToken, by: str) -> None:
        fields = {"token_id": token.token_id, "scopes": list(token.scopes), "by": by}
        self._events.record(Event(name=name, at=self._clock.now(), fields=fields))
        log.info(name, token_id=token.token_id, by=by)


def _refuse(name: str, scopes: Sequence[str], ttl_s: int | None) -> None:
    faults = []
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        faults.append(FieldFault("/name", "text", f"1 to {MAX_NAME_CHARS} printable characters."))
    if not scopes or any(scope not in SCOPES for scope in scopes):
        faults.append(FieldFault("/scopes", "enum", f"At least one of {', '.join(SCOPES)}."))
    if ttl_s is not None and ttl_s <= 0:
        faults.append(FieldFault("/ttl_s", "minimum", "It must be above 0."))
    if faults:
        raise Invalid(faults=faults)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
