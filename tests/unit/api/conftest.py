"""The front door on a real socket, with a room 1 that does what the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from tests.fakes.store_health import FakeStoreHealth
from wunder.api.listener import Listener, listener
from wunder.api.parts import ApiParts, ApiPolicy
from wunder.api.server import FrontDoor, build_app
from wunder.errors import RequestRefused
from wunder.model.delivery import ReleaseRef
from wunder.model.ids import At, ChannelId, PluginId, TokenId
from wunder.model.provider import ProviderFacts, RawRequest, WebhookAnswer
from wunder.model.token import ApiToken
from wunder.observe.metrics import Metrics
from wunder.people.audit import AuditEntry
from wunder.people.person import ROLES, SessionHash, User, UserId, UserSession
from wunder.people.policy import PeoplePolicy
from wunder.people.sign_in import Opened


class Room1:
    """What stands behind the webhook route."""

    def __init__(self) -> None:
        self.limit = 1_000
        self.seen: list[tuple[str, str | None, RawRequest]] = []
        self.answer = WebhookAnswer(200)
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.left = asyncio.Event()
        self.finished = 0

    def body_limit(self, channel: str) -> int:
        if channel != "parrot":
            raise RequestRefused(404, "channel_unknown", "not installed: parrot only")
        return self.limit

    async def receive(
        self, channel: str, path_account: str | None, request: RawRequest
    ) -> WebhookAnswer:
        self.seen.append((channel, path_account, request))
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        self.finished += 1
        self.left.set()
        if self.error is not None:
            raise self.error
        return self.answer


class FakeTokens:
    """Tokens that a test hands out."""

    def __init__(self) -> None:
        self._tokens: dict[str, ApiToken] = {}

    def made(self, *scopes: str) -> ApiToken:
        return ApiToken(TokenId("t"), "tester", b"", scopes, At(0), "test")

    def give(self, *scopes: str) -> str:
        text = f"wndr_{len(self._tokens)}"
        self._tokens[text] = self.made(*scopes)
        return text

    def check(self, text: str) -> ApiToken | None:
        return self._tokens.get(text)


class FakePeople:
    """Sessions that a test hands out: the cookie is the name of the role."""

    def __init__(self, confirmed_at: At) -> None:
        self.policy = PeoplePolicy()
        self.confirmed_at = confirmed_at
        self.sign_in = self

    async def recognise(self, cookie: str) -> Opened | None:
        if cookie not in ROLES:
            return None
        user = User(
            user_id=UserId(f"id-{cookie}"),
            name=cookie,
            display_name="",
            role=cast("Any", cookie),
            password_hash="",
        )
        session = UserSession(
            session_hash=SessionHash(cookie.encode()),
            session_id=f"s-{cookie}",
            user_id=user.user_id,
            created_at=At(0),
            seen_at=self.confirmed_at,
            expires_at=At(2**50),
            confirmed_at=self.confirmed_at,
        )
        return Opened(user, session, cookie)


class FakeAudit:
    """An audit that a test can read."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        self.entries += entries


class NoPlugins:
    def report(self, plugin_id: str) -> None:
        return None


@dataclass
class ParrotProvider:
    """A provider of which only the facts matter here."""

    facts: ProviderFacts


def parrot(**changes: Any) -> ProviderFacts:
    facts: dict[str, Any] = {
        "channel": ChannelId("parrot"),
        "name": "Parrot",
        "source": "builtin",
        "release": ReleaseRef(PluginId("parrot"), "builtin@0.1.0"),
        "capabilities": {"webhook": True},
        "account_schema": None,
    }
    return ProviderFacts(**(facts | changes))


@dataclass
class World:
    """Everything a test can change before and while the door is open."""

    data_dir: Path
    room1: Room1 = field(default_factory=Room1)
    clock: FakeClock = field(default_factory=FakeClock)
    providers: FakeProviders = field(default_factory=FakeProviders)
    store: FakeStoreHealth = field(default_factory=FakeStoreHealth)
    metrics: Metrics = field(default_factory=Metrics)
    is_draining: bool = False
    is_key_open: bool = True

    def parts(self, policy: ApiPolicy, **more: Any) -> ApiParts:
        absent = cast("Any", None)
        # What a test needs it gives; the rest is not there.
        given: dict[str, Any] = dict.fromkeys((one.name for one in fields(ApiParts)), absent)
        given |= {
            "people": FakePeople(self.clock.now()),
            "audit": FakeAudit(),
            "chat": SimpleNamespace(desk=None),
            "owner_of": lambda uid: "",
            "plugin_host": NoPlugins(),
            "webhooks": self.room1,
            "store": self.store,
            "providers": self.providers,
            "clock": self.clock,
            "metrics": self.metrics,
            "data_dir": self.data_dir,
            "version": "0.1.0",
            "is_draining": lambda: self.is_draining,
            "is_key_open": lambda: self.is_key_open,
            "wake": lambda: None,
            "policy": policy,
        }
        return ApiParts(**(given | more))


@dataclass
class Door:
    """An open front door."""

    port: int
    http: aiohttp.ClientSession
    stop: asyncio.Event

    async def post(self, path: str, **more: Any) -> int:
        async with self.http.post(path, **more) as answer:
            await answer.read()
            return answer.status

    async def raw(self, request: bytes) -> bytes:
        """Send bytes, return everything until the other side closes."""
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(request)
            await writer.drain()
            try:
                return await reader.read()
            finally:
                writer.close()


OpenDoor = Callable[..., Awaitable[Door]]


@contextlib.asynccontextmanager
async def opened(app: FrontDoor, policy: ApiPolicy) -> AsyncIterator[Door]:
    stop = asyncio.Event()
    bound: Listener = listener(app, "127.0.0.1", 0, policy, app.take_webhook)
    serving = asyncio.create_task(bound.serve_until(stop))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{bound.port}") as http:
        yield Door(bound.port, http, stop)
    stop.set()
    async with asyncio.timeout(5):
        await serving


@pytest.fixture(autouse=True)
def _short_lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wunder.api.asgi.LINGER_S", 0.05)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.providers.serve(cast("Any", ParrotProvider(parrot())))
    return world


@pytest.fixture
async def open_door(world: World) -> AsyncIterator[OpenDoor]:
    async with contextlib.AsyncExitStack() as stack:

        async def open_it(policy: ApiPolicy | None = None, **more: Any) -> Door:
            policy = policy or ApiPolicy()
            app = build_app(world.parts(policy, **more))
            return await stack.enter_async_context(opened(app, policy))

        yield open_it


@pytest.fixture
async def door(open_door: OpenDoor) -> Door:
    return await open_door()
