"""What every SessionTable promises."""

from typing import Any

from tests.contracts.store_world import World
from tests.contracts.test_user_table import user
from wunder.model.ids import At
from wunder.people.person import SessionHash, UserId, UserSession

HOUR_MS = 3_600_000


def session(number: int = 1, **given: Any) -> UserSession:
    fields = {
        "session_hash": SessionHash(bytes([number, 0, 255]) * 10),
        "session_id": f"s{number}",
        "user_id": UserId("id-ann"),
        "created_at": At(number),
        "seen_at": At(1_000),
        "expires_at": At(10 * HOUR_MS),
        "confirmed_at": At(1_000),
        "remote_addr": "192.0.2.1",
        "user_agent": "Browser",
    }
    return UserSession(**(fields | given))


async def test_a_session_comes_back_with_whose_it_is(world: World) -> None:
    await world.store.users.add(user())
    await world.store.sessions.add(session())
    assert await world.store.sessions.find(session().session_hash) == (session(), user())


async def test_an_unknown_cookie_is_nobodys(world: World) -> None:
    await world.store.users.add(user())
    await world.store.sessions.add(session())
    assert await world.store.sessions.find(session(2).session_hash) is None


async def test_use_is_noted_and_a_password_given_again(world: World) -> None:
    await world.store.users.add(user())
    await world.store.sessions.add(session())
    await world.store.sessions.touch(session().session_hash, seen_at=At(2_000))
    found = await world.store.sessions.find(session().session_hash)
    assert found is not None
    assert (found[0].seen_at, found[0].confirmed_at) == (2_000, 1_000)
    await world.store.sessions.touch(
        session().session_hash, seen_at=At(3_000), confirmed_at=At(3_000)
    )
    found = await world.store.sessions.find(session().session_hash)
    assert found is not None
    assert (found[0].seen_at, found[0].confirmed_at) == (3_000, 3_000)


async def test_only_sessions_that_hold_are_living(world: World) -> None:
    await world.store.users.add(user())
    await world.store.users.add(user("bob", disabled_at=At(1), role="user"))
    good, over, idle = session(1), session(2, expires_at=At(4_000)), session(3, seen_at=At(1))
    locked = session(4, user_id=UserId("id-bob"))
    for one in (good, over, idle, locked):
        await world.store.sessions.add(one)
    hashes = [one.session_hash for one in (good, over, idle, locked, session(5))]
    assert await world.store.sessions.living(hashes, At(5_000), 4_500) == {good.session_hash}
    assert await world.store.sessions.living([], At(5_000), 4_500) == set()


async def test_every_session_of_a_user_ends_but_the_one_that_asks(world: World) -> None:
    await world.store.users.add(user())
    await world.store.users.add(user("bob"))
    for one in (session(1), session(2), session(3), session(4, user_id=UserId("id-bob"))):
        await world.store.sessions.add(one)
    kept = session(2).session_hash
    assert await world.store.sessions.end(UserId("id-ann"), but=kept) == 2
    assert [one.session_id for one in await world.store.sessions.of(UserId("id-ann"))] == ["s2"]
    assert await world.store.sessions.end(UserId("id-ann")) == 1
    assert await world.store.sessions.of(UserId("id-ann")) == []
    assert len(await world.store.sessions.of(UserId("id-bob"))) == 1


async def test_the_newest_session_is_listed_first(world: World) -> None:
    await world.store.users.add(user())
    for number in (1, 3, 2):
        await world.store.sessions.add(session(number))
    found = await world.store.sessions.of(UserId("id-ann"))
    assert [one.session_id for one in found] == ["s3", "s2", "s1"]


async def test_a_removed_user_has_no_session(world: World) -> None:
    await world.store.users.add(user())
    await world.store.users.add(user("bob"))
    await world.store.sessions.add(session())
    await world.store.users.remove(UserId("id-ann"))
    assert await world.store.sessions.find(session().session_hash) is None
