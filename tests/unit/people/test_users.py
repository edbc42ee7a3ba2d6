"""The user desk: who may be made, changed and removed, and what ends with it."""

import pytest

from tests.unit.people.conftest import GOOD, HERE, People
from wunder.errors import Conflict, Invalid, NotFound, RequestRefused
from wunder.people import noticed
from wunder.people.drafts import UserChanges, UserDraft

OTHER = "green tortoise ladder"


async def test_names_are_folded_and_a_taken_one_is_refused(people: People) -> None:
    user = await people.room.users.create(UserDraft(name=" Ann ", role="viewer"), "test")
    assert user.name == "ann"
    with pytest.raises(Conflict):
        await people.room.users.create(UserDraft(name="ANN", role="viewer"), "test")


@pytest.mark.parametrize("name", ["", "a b", "-ann", "安娜", "x" * 65])
async def test_what_is_no_name_is_named_by_its_place(people: People, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        await people.room.users.create(UserDraft(name=name, role="user"), "test")
    assert caught.value.faults[0].pointer == "/name"


async def test_rule_17_a_lock_or_another_role_ends_every_session(people: People) -> None:
    await people.make("root")
    user_id = await people.make("ann")
    for changes in (UserChanges(role="viewer"), UserChanges(is_disabled=True)):
        opened = await people.sign_in("ann")
        await people.room.users.change(user_id, changes, None, "test")
        assert await people.room.sign_in.recognise(opened.cookie) is None
    with pytest.raises(RequestRefused):
        await people.sign_in("ann")


async def test_another_name_shown_ends_no_session(people: People) -> None:
    user_id = await people.make("ann")
    opened = await people.sign_in("ann")
    changed = await people.room.users.change(user_id, UserChanges(display_name="安"), None, "test")
    assert changed.display_name == "安"
    assert await people.room.sign_in.recognise(opened.cookie) is not None


async def test_a_new_password_ends_every_session_but_the_own(people: People) -> None:
    user_id = await people.make("ann")
    mine, other = await people.sign_in("ann"), await people.sign_in("ann")
    assert await people.room.users.set_password(user_id, OTHER, "test", mine) == 1
    assert await people.room.sign_in.recognise(mine.cookie) is not None
    assert await people.room.sign_in.recognise(other.cookie) is None
    with pytest.raises(RequestRefused):
        await people.sign_in("ann")
    assert (await people.room.sign_in.by_password("ann", OTHER, HERE)).user.user_id == user_id


async def test_who_owns_accounts_is_not_removed(people: People) -> None:
    await people.make("root")
    user_id = await people.make("ann", "user")
    people.owners.add(user_id)
    with pytest.raises(Conflict) as caught:
        await people.room.users.remove(user_id, "test")
    assert caught.value.reason == "owns_accounts"
    people.owners.clear()
    await people.room.users.remove(user_id, "test")
    with pytest.raises(NotFound):
        await people.room.users.get(user_id)


async def test_an_outside_sign_in_is_one_user_and_takes_nobodys_name_over(people: People) -> None:
    await people.make("ann")
    users = people.room.users
    first = await users.from_outside("https://idp 1", "Ann", "Ann Other", "viewer")
    assert first.name == "ann-2"
    again = await users.from_outside("https://idp 1", "Renamed", "Ann Other", "operator")
    assert (again.user_id, again.name, again.role) == (first.user_id, "ann-2", "operator")
    odd = await users.from_outside("https://idp 2", "王小明", "王小明", "user")
    assert odd.name == "user"


async def test_what_is_told_of_a_change_holds_no_password(people: People) -> None:
    told = noticed.begin()
    user_id = await people.make("ann")
    await people.room.users.set_password(user_id, OTHER, "test")
    assert [event.name for event in told] == ["user_created", "password_set"]
    assert GOOD not in repr(told) and OTHER not in repr(told) and "argon2" not in repr(told)
