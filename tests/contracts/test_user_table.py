"""What every UserTable promises."""

from typing import Any

import msgspec
import pytest

from tests.contracts.store_world import World
from wunder.errors import Conflict, NotFound
from wunder.model.ids import At
from wunder.people.person import User, UserId


def user(name: str = "ann", **given: Any) -> User:
    fields = {
        "user_id": UserId(f"id-{name}"),
        "name": name,
        "display_name": "Ann 安",
        "role": "admin",
        "password_hash": "$argon2id$x",
        "created_at": At(5),
        "created_by": "setup",
        "updated_at": At(6),
    }
    return User(**(fields | given))


async def test_a_user_comes_back_as_stored(world: World) -> None:
    bob = user("bob", role="user", disabled_at=At(9), oidc_subject="https://idp x")
    await world.store.users.add(bob)
    await world.store.users.add(user())
    assert await world.store.users.all() == [user(), bob]
    assert await world.store.users.by_name("bob") == bob
    assert await world.store.users.by_name("nobody") is None


async def test_a_name_is_taken_once(world: World) -> None:
    await world.store.users.add(user())
    with pytest.raises(Conflict) as caught:
        await world.store.users.add(user(user_id=UserId("other")))
    assert caught.value.reason == "user_exists"


async def test_of_two_first_users_one_wins(world: World) -> None:
    await world.store.users.add(user("ann"), is_first=True)
    with pytest.raises(Conflict) as caught:
        await world.store.users.add(user("bob"), is_first=True)
    assert caught.value.reason == "not_first"


async def test_of_two_writers_with_the_same_revision_one_wins(world: World) -> None:
    await world.store.users.add(user())
    changed = await world.store.users.update(user(display_name="Anna"), 1)
    assert (changed.rev, changed.display_name) == (2, "Anna")
    with pytest.raises(Conflict) as caught:
        await world.store.users.update(user(display_name="Annie"), 1)
    assert (caught.value.reason, caught.value.state) == ("rev", {"rev": 2})
    assert await world.store.users.all() == [changed]


async def test_the_last_administrator_stays_one(world: World) -> None:
    await world.store.users.add(user())
    await world.store.users.add(user("bob", disabled_at=At(1)))
    for lost in (user(role="viewer"), user(disabled_at=At(7))):
        with pytest.raises(Conflict) as caught:
            await world.store.users.update(lost, None)
        assert caught.value.reason == "last_admin"
    with pytest.raises(Conflict):
        await world.store.users.remove(UserId("id-ann"))
    await world.store.users.update(user("bob"), None)
    await world.store.users.remove(UserId("id-ann"))
    assert [one.name for one in await world.store.users.all()] == ["bob"]


async def test_who_is_not_there_cannot_be_changed(world: World) -> None:
    with pytest.raises(NotFound):
        await world.store.users.update(user(), None)
    with pytest.raises(NotFound):
        await world.store.users.remove(UserId("ghost"))


async def test_a_changed_user_keeps_when_it_was_made(world: World) -> None:
    await world.store.users.add(user())
    later = msgspec.structs.replace(user(), created_at=At(99), created_by="somebody")
    await world.store.users.update(later, None)
    [stored] = await world.store.users.all()
    assert (stored.created_at, stored.created_by) == (At(5), "setup")
