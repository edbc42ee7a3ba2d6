"""A store and the few moves that the contract suites make on it, for every engine there is."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes.clock import FakeClock
from tests.postgres_server import postgres
from tests.store_template import lay_out
from wunder.model.account import AccountConfig, AccountRow, DeliverySettings
from wunder.model.conversation import Conversation
from wunder.model.delivery import (
    ClaimedDelivery,
    DeliveryState,
    ReleaseRef,
    SendGrant,
    Settlement,
    StoredAttempt,
    StoredDelivery,
)
from wunder.model.ids import (
    AccountId,
    AccountUid,
    AgentId,
    At,
    ChannelId,
    DeliveryId,
    MessageId,
    PlatformMessageId,
    PluginId,
    RequestId,
    SessionId,
    dedupe_key,
    new_id,
)
from wunder.model.intake import (
    AccountIntake,
    IntakeUnit,
    NewMessage,
    NewQuarantine,
    NewReceipt,
    SpooledRequest,
    TakenIn,
)
from wunder.model.message import Content, InboundMessage, MessageState, Sender
from wunder.model.trail import StepName
from wunder.model.turn import ClaimedTurn, NewSend, Reply, TurnCommit, TurnCommitted
from wunder.store.machine import Machine
from wunder.store.policy import MIB, StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.store import PostgresStore
from wunder.store.postgres.store import open_store as open_postgres_store
from wunder.store.sqlite.store import SqliteStore, open_store
from wunder.upkeep.ledger import DeliveryFilter

UID = AccountUid("acc-1")
CHANNEL = ChannelId("ch")
RELEASE = ReleaseRef(PluginId("ch"), "1.0.0")
OTHER_RELEASE = ReleaseRef(PluginId("ch"), "2.0.0")
DAY_MS = 86_400_000
#: Nothing of a test needs 64 MiB of ballast.
POLICY = StorePolicy(ballast_bytes=0)
PLENTY = 1024 * MIB

Opener = Any  # async (data_dir, clock, policy, machine) -> a store with all doors


async def open_sqlite(
    data_dir: Path, clock: FakeClock, policy: StorePolicy, machine: Machine
) -> SqliteStore:
    return await open_store(lay_out(data_dir), clock, policy, machine=machine)


#: The database that stands for each data directory.
_databases: dict[Path, str] = {}


async def open_postgres(
    data_dir: Path, clock: FakeClock, policy: StorePolicy, machine: Machine
) -> PostgresStore:
    if data_dir not in _databases:
        _databases[data_dir] = await postgres().lend_database()
    address = Address(_databases[data_dir], policy)
    return await open_postgres_store(address, data_dir, clock, machine=machine)


def database_of(data_dir: Path, of: Path | None = None) -> str:
    """The database that stands for a data directory; given `of`, the same as for that one."""
    if of is not None:
        _databases[data_dir] = _databases[of]
    return _databases[data_dir]


def stand_for(data_dir: Path, url: str) -> None:
    """Let a database that a test made stand for a data directory."""
    _databases[data_dir] = url


def give_back(data_dir: Path) -> None:
    """Let another test have what stood for this data directory."""
    url = _databases.pop(data_dir, None)
    if url is not None:
        postgres().take_back(url)


#: The suites must not know the difference.
ENGINES: dict[str, Opener] = {"postgres": open_postgres, "sqlite": open_sqlite}


class World:
    """One data directory, its store, and a clock that stands still."""

    def __init__(self, opener: Opener, data_dir: Path, clock: FakeClock) -> None:
        self.opener = opener
        self.dir = data_dir
        self.clock = clock
        self.policy = POLICY
        self.free_bytes = PLENTY
        self.store: SqliteStore = None  # type: ignore[assignment]  # set by open
        self._numbers = iter(range(1, 1_000_000))

    async def open(self) -> "World":
        machine = Machine(free=lambda path: self.free(path))
        self.store = await self.opener(self.dir, self.clock, self.policy, machine)
        return self

    def free(self, _path: Path) -> int:
        return self.free_bytes

    async def die_and_return(self) -> "World":
        """Open again without having ended anything: what was claimed stays claimed in the rows."""
        await self.store.close()
        return await self.open()

    @property
    def now(self) -> At:
        return self.clock.now()

    # --- room 1 ---------------------------------------------------------------------------------

    def new(self, text: str = "hello", peer: str = "p1", **given: Any) -> NewMessage:
        """A message to take in. Given: uid, thread, platform_id, state, reason, meta, digest, keep_ms."""
        platform_id = given.get("platform_id") or f"pm-{next(self._numbers)}"
        kind = given.get("kind", "user")
        conversation = Conversation(given.get("uid", UID), kind, peer, given.get("thread", ""))
        message = InboundMessage(
            message_id=MessageId(new_id()),
            conversation=conversation,
            channel=CHANNEL,
            account_id=AccountId("main"),
            platform_message_id=PlatformMessageId(platform_id),
            sender=Sender(peer, "Ann"),
            content=given.get("content") or Content(text=text),
            sent_at=self.now,
            received_at=self.now,
            peer_name="Ann",
            meta=given.get("meta", {}),
        )
        digest = (
            given.get("digest") or hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        )
        return NewMessage(
            message=message,
            dedupe_key=dedupe_key(conversation.key, "message", platform_id),
            digest=digest,
            keep_key_until=At(self.now + given.get("keep_ms", 14 * DAY_MS)),
            state=given.get("state", MessageState.RECEIVED),
            reason=given.get("reason", ""),
        )

    def unit(
        self,
        *messages: NewMessage,
        receipts: Sequence[NewReceipt] = (),
        quarantine: Sequence[NewQuarantine] = (),
        spool_id: str | None = None,
    ) -> IntakeUnit:
        part = AccountIntake(
            account_uid=UID,
            channel=CHANNEL,
            account_id=AccountId("main"),
            release=RELEASE,
            messages=tuple(messages),
            receipts=tuple(receipts),
            quarantine=tuple(quarantine),
        )
        now = self.now
        return IntakeUnit(RequestId(new_id()), now, now, now, (part,), spool_id)

    async def take(self, *messages: NewMessage, claim: int = 0) -> TakenIn:
        return await self.store.intake.take_in(self.unit(*messages), claim)

    async def receipt(self, provider_message_id: str, status: Any) -> None:
        told = NewReceipt(provider_message_id, status, self.now)
        await self.store.intake.take_in(self.unit(receipts=[told]))

    def spooled(self, uid: str = UID, size: int = 100) -> SpooledRequest:
        return SpooledRequest(
            new_id(), AccountUid(uid), CHANNEL, AccountId("main"), b"x" * size, self.now
        )

    # --- room 2 ---------------------------------------------------------------------------------

    async def turn(self, text: str = "hello", peer: str = "p1", **given: Any) -> ClaimedTurn:
        """Take a message in, claimed at once."""
        taken = await self.take(self.new(text, peer, **given), claim=1)
        return taken.claimed[0]

    async def answer(
        self, turn: ClaimedTurn, *texts: str, grant: SendGrant | None = None, **given: Any
    ) -> TurnCommitted:
        """End a turn with replies. Given: state, session_id, binding_id, reason, ttl_ms."""
        commit = TurnCommit(
            turn=turn,
            state=given.get("state", MessageState.ANSWERED),
            at=self.now,
            replies=tuple(Reply(text) for text in texts),
            expires_at=At(self.now + given.get("ttl_ms", DAY_MS)),
            session_id=SessionId(given.get("session_id", "s1")),
            agent_id=AgentId("echo"),
            binding_id=given.get("binding_id"),
            reason=given.get("reason", ""),
        )
        return await self.store.turns.commit(commit, grant)

    async def message_state(self, message_id: MessageId) -> tuple[str, str]:
        found = await self.store.ledger.message(message_id)
        assert found is not None
        return found.state, found.reason

    # --- room 3 ---------------------------------------------------------------------------------

    def grant(
        self, limit: int = 1, uid: str = UID, window_s: int | None = None, **given: Any
    ) -> SendGrant:
        return SendGrant(
            AccountUid(uid),
            given.get("release", RELEASE),
            limit,
            idempotency_window_s=window_s,
            idempotency_applies_to=given.get("applies_to", "all"),
        )

    async def queue(self, *texts: str, peer: str = "p1", **given: Any) -> list[DeliveryId]:
        """Queue replies to a new message; ids in order."""
        turn = await self.turn("question", peer)
        await self.answer(turn, *texts, **given)
        page = await self.store.ledger.deliveries(DeliveryFilter(), 1000, "")
        mine = [d for d in page.items if d.root_message_id == turn.message.message_id]
        return [d.delivery_id for d in reversed(mine)]

    async def send_first(self, text: str, peer: str = "p1", key: str = "") -> DeliveryId:
        return (await self.store.outbox.enqueue(self.new_send(text, peer, key)))[0]

    def new_send(self, text: str, peer: str = "p1", key: str = "") -> NewSend:
        return NewSend(
            idempotency_key=key or new_id(),
            message_id=MessageId(new_id()),
            channel=CHANNEL,
            account_uid=UID,
            account_id="main",
            peer_kind="user",
            peer_id=peer,
            thread_id="",
            text=text,
            format="plain",
            attachments=(),
            at=self.now,
            expires_at=At(self.now + DAY_MS),
        )

    async def claim(self, limit: int = 1, **given: Any) -> list[ClaimedDelivery]:
        return await self.store.outbox.claim([self.grant(limit, **given)], self.now)

    async def claim_one(self, **given: Any) -> ClaimedDelivery:
        claimed = await self.claim(1, **given)
        assert len(claimed) == 1
        return claimed[0]

    async def settle(
        self, delivery: ClaimedDelivery, state: DeliveryState = DeliveryState.SENT, **given: Any
    ) -> list[ClaimedDelivery]:
        """Settle an attempt; anything of Settlement may be given. retry_s: seconds from now."""
        outcome = {
            DeliveryState.SENT: "sent",
            DeliveryState.SENDING: "sent",
            DeliveryState.UNKNOWN: "unknown",
        }.get(state, "not_sent")
        if "retry_s" in given:
            given["retry_at"] = At(self.now + int(given.pop("retry_s") * 1000))
        given = {"outcome": outcome, **given}
        return await self.store.outbox.settle([Settlement(delivery, state, self.now, **given)])

    async def delivery(self, delivery_id: DeliveryId) -> StoredDelivery:
        return (await self._both(delivery_id))[0]

    async def state(self, delivery_id: DeliveryId) -> DeliveryState:
        return (await self.delivery(delivery_id)).state

    async def attempts(self, delivery_id: DeliveryId) -> list[StoredAttempt]:
        return (await self._both(delivery_id))[1]

    async def _both(self, delivery_id: DeliveryId) -> tuple[StoredDelivery, list[StoredAttempt]]:
        found = await self.store.ledger.delivery(delivery_id)
        assert found is not None
        return found

    async def sends_in_order(self, rounds: int = 50) -> list[str]:
        """Send whatever is due, one after the other, until nothing is; the texts in order."""
        texts = []
        for _ in range(rounds):
            claimed = await self.claim(1)
            if not claimed:
                return texts
            texts.append(claimed[0].message.text)
            await self.settle(claimed[0])
        raise AssertionError("never ends")

    async def steps(self, message_id: MessageId) -> list[StepName]:
        return [step.step for step in await self.store.ledger.trail(message_id)]

    # --- accounts -------------------------------------------------------------------------------

    def account(self, uid: str = UID, account_id: str = "main", **given: Any) -> AccountRow:
        return AccountRow(
            account_uid=AccountUid(uid),
            channel=CHANNEL,
            account_id=AccountId(account_id),
            display_name="Main",
            status=given.get("status", "enabled"),
            config=given.get("config")
            or AccountConfig(delivery=given.get("delivery", DeliverySettings())),
            secrets=given.get("secrets", b"sealed"),
            rev=1,
            secret_rev=1,
            webhook_key=f"key-{uid}",
            created_at=self.now,
            updated_at=self.now,
            external_id=given.get("external_id", ""),
        )
