"""What every SessionEnds promises."""

from tests.contracts.store_world import World
from tests.contracts.test_session_table import session
from tests.contracts.test_user_table import user
from wunder.model.ids import At
from wunder.people.person import UserId


async def test_one_session_ends_and_may_end_twice(world: World) -> None:
    await world.store.users.add(user())
    await world.store.sessions.add(session())
    for _ in range(2):
        await world.store.session_ends.remove(session().session_hash)
    assert await world.store.sessions.find(session().session_hash) is None


async def test_rows_of_sessions_that_are_over_go(world: World) -> None:
    await world.store.users.add(user())
    for one in (session(1), session(2, expires_at=At(4_000)), session(3, seen_at=At(1))):
        await world.store.sessions.add(one)
    assert await world.store.session_ends.forget_old(At(5_000), 4_500) == 2
    assert [one.session_id for one in await world.store.sessions.of(UserId("id-ann"))] == ["s1"]
