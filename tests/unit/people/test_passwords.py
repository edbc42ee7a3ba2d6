"""Passwords: which are taken, how they are hashed, how many at once."""

import asyncio
import os
import threading

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from wunder.errors import Invalid, RequestRefused
from wunder.people import lazy
from wunder.people.argon2id import Argon2id
from wunder.people.passwords import Passwords, refuse_weak
from wunder.people.policy import PeoplePolicy


class SlowHash:
    """A hash that ends when the test says so, and counts how many are under way."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.is_full = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def verify(self, stored: str, password: str) -> bool:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
            if self.running == 2:
                self.is_full.set()
        self.gate.wait(5)
        with self._lock:
            self.running -= 1
        return True


async def test_a_hash_is_argon2id_with_what_owasp_asks_for() -> None:
    hashed = await asyncio.to_thread(Argon2id().hash, "purple giraffe umbrella")
    assert hashed.startswith("$argon2id$v=19$m=47104,t=1,p=1$")


async def test_hashing_steps_behind_messages() -> None:
    passwords = Passwords(PeoplePolicy())
    niceness = await passwords._in_thread(
        lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    )
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert niceness == min(own + 10, 19)


async def test_the_same_password_never_has_the_same_hash() -> None:
    passwords = Passwords(PeoplePolicy())
    hashes = {await passwords.hash("purple giraffe umbrella") for _ in range(2)}
    assert len(hashes) == 2
    for one in hashes:
        assert await passwords.verify(one, "purple giraffe umbrella")
        assert not await passwords.verify(one, "purple giraffe umbrell")


async def test_rule_16_a_hash_is_verified_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verified: list[str] = []
    library, real = Argon2id(CHEAPEST), PasswordHasher.verify

    def noting(self: PasswordHasher, stored: str, given: str) -> bool:
        verified.append(stored)
        return real(self, stored, given)

    monkeypatch.setattr(PasswordHasher, "verify", noting)
    assert not library.verify("", "nobody has this password")
    assert len(verified) == 1
    assert verified[0].startswith("$argon2id$")


async def test_rule_16_two_hashes_run_at_once_and_many_more_are_sent_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = SlowHash()
    monkeypatch.setattr(lazy, "argon2id", lambda: slow)
    policy = PeoplePolicy(hashes_waiting=3)
    passwords = Passwords(policy)
    tasks = [asyncio.create_task(passwords.verify("x", "y")) for _ in range(5)]
    assert await asyncio.to_thread(slow.is_full.wait, 5)
    with pytest.raises(RequestRefused) as caught:
        await passwords.verify("x", "y")
    assert caught.value.http_status == 429
    slow.gate.set()
    assert await asyncio.gather(*tasks) == [True] * 5
    assert slow.most == policy.hashes_at_once
    assert await passwords.verify("x", "y")  # there is room again


@pytest.mark.parametrize(
    "password",
    ["short", "1234567890", "aaaaaaaaaaaa", "Password123", "annannannann", "has a zero \x00 byte"],
)
def test_what_anybody_would_try_first_is_not_taken(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        refuse_weak(password, "annannann", "/password")
    assert caught.value.faults[0].pointer == "/password"
    assert password not in repr(caught.value.faults)


def test_a_name_is_no_password() -> None:
    with pytest.raises(Invalid):
        refuse_weak("Alexandra.1", "alexandra.1", "/password")


def test_several_words_are_a_password() -> None:
    refuse_weak("purple giraffe umbrella", "ann", "/password")
    refuse_weak("我的密码是一句很长的话", "ann", "/password")
