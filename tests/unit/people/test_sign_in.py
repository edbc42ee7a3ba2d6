"""Signing in: who is let in, who is not, and that nobody can tell why."""

import asyncio

import msgspec
import pytest
from argon2 import PasswordHasher

from tests.unit.people.conftest import GOOD, HERE, People
from wunder.errors import RequestRefused
from wunder.people.drafts import UserChanges
from wunder.people.sign_in import TOUCH_EVERY_MS, Whence

WRONG = "not the password"


async def refusal(people: People, name: str, password: str = WRONG) -> tuple[int, str, str]:
    with pytest.raises(RequestRefused) as caught:
        await people.room.sign_in.by_password(name, password, HERE)
    return caught.value.http_status, caught.value.reason, caught.value.detail


async def test_a_password_opens_a_session_that_its_cookie_proves(people: People) -> None:
    await people.make()
    opened = await people.sign_in(" ANN ")
    again = await people.room.sign_in.recognise(opened.cookie)
    assert again is not None
    assert (again.user.name, again.session) == ("ann", opened.session)
    assert len(opened.cookie) >= 43  # 256 bits


async def test_rule_16_only_the_hash_of_a_cookie_is_stored(people: People) -> None:
    await people.make()
    opened = await people.sign_in()
    assert opened.cookie.encode() not in (people.store._opened.path).read_bytes()
    [kept] = await people.store.sessions.of(opened.user.user_id)
    assert opened.cookie not in repr(kept)
    assert await people.room.sign_in.recognise(kept.session_hash.hex()) is None


async def test_rule_16_every_failure_says_the_same(people: People) -> None:
    await people.make("ann")
    locked = await people.make("bob")
    await people.room.users.change(locked, UserChanges(is_disabled=True), None, "test")
    await people.make("carl", password=None)
    said = {
        await refusal(people, "ann"),
        await refusal(people, "bob", GOOD),
        await refusal(people, "carl", ""),
        await refusal(people, "nobody"),
    }
    assert len(said) == 1
    assert said.pop()[:2] == (401, "sign_in_failed")


async def test_rule_16_a_source_is_locked_out_and_names_that_do_not_exist_are_too(
    people: People,
) -> None:
    await people.make("ann")
    for name in ("ann", "nobody"):
        assert [(await refusal(people, name))[0] for _ in range(6)] == [401] * 5 + [429]
    with pytest.raises(RequestRefused) as caught:
        await people.sign_in("ann")
    assert caught.value.retry_after_s == 31
    people.clock.advance(31)
    assert (await people.sign_in("ann")).user.name == "ann"


async def test_a_stranger_cannot_lock_somebody_out_who_comes_from_elsewhere(
    people: People,
) -> None:
    await people.make("ann")
    for _ in range(6):
        await refusal(people, "ann")
    opened = await people.sign_in("ann", Whence("198.51.100.7"))
    assert opened.session.remote_addr == "198.51.100.7"


async def test_many_tries_at_once_are_many_tries(people: People) -> None:
    await people.make("ann")
    tries = [people.room.sign_in.by_password("ann", WRONG, HERE) for _ in range(12)]
    ends = await asyncio.gather(*tries, return_exceptions=True)
    statuses = [end.http_status for end in ends if isinstance(end, RequestRefused)]
    assert sorted(statuses) == [401] * 5 + [429] * 7


async def test_a_session_ends_by_age_and_by_idleness(people: People) -> None:
    policy = people.room.policy
    await people.make()
    idle = await people.sign_in()
    people.clock.advance(policy.idle_s)
    assert await people.room.sign_in.recognise(idle.cookie) is None
    used = await people.sign_in()
    for _ in range(policy.session_s // (policy.idle_s // 2)):
        people.clock.advance(policy.idle_s // 2 - 1)
        assert await people.room.sign_in.recognise(used.cookie) is not None
    people.clock.advance(policy.idle_s // 2)
    assert await people.room.sign_in.recognise(used.cookie) is None


async def test_use_is_written_down_once_a_minute(people: People) -> None:
    await people.make()
    opened = await people.sign_in()
    people.clock.advance(TOUCH_EVERY_MS / 1000 - 1)
    await people.room.sign_in.recognise(opened.cookie)
    [kept] = await people.store.sessions.of(opened.user.user_id)
    assert kept.seen_at == opened.session.seen_at
    people.clock.advance(1)
    await people.room.sign_in.recognise(opened.cookie)
    [kept] = await people.store.sessions.of(opened.user.user_id)
    assert kept.seen_at == people.clock.now()


async def test_signing_out_ends_the_session_at_once(people: People) -> None:
    await people.make()
    opened, other = await people.sign_in(), await people.sign_in()
    await people.room.sign_in.sign_out(opened)
    assert await people.room.sign_in.recognise(opened.cookie) is None
    hashes = [opened.session.session_hash, other.session.session_hash]
    assert await people.room.sign_in.living(hashes) == {other.session.session_hash}


async def test_rule_16_a_password_that_was_given_again_counts_from_then(people: People) -> None:
    await people.make()
    opened = await people.sign_in()
    people.clock.advance(600)
    with pytest.raises(RequestRefused):
        await people.room.sign_in.confirm(opened, WRONG, HERE)
    confirmed = await people.room.sign_in.confirm(opened, GOOD, HERE)
    again = await people.room.sign_in.recognise(opened.cookie)
    assert again is not None
    assert again.session.confirmed_at == confirmed.session.confirmed_at == people.clock.now()


async def test_a_hash_of_other_parameters_is_made_again(people: People) -> None:
    user_id = await people.make()
    user = await people.room.users.get(user_id)
    other = await _hash_of_other_parameters()
    await people.store.users.update(msgspec.structs.replace(user, password_hash=other), None)
    await people.sign_in()
    assert (await people.room.users.get(user_id)).password_hash != other
    await people.sign_in()


async def _hash_of_other_parameters() -> str:
    return await asyncio.to_thread(
        PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash, GOOD
    )
