"""What every keeper of the key's check value promises; the store's own runs here too."""

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.key_check import FakeKeyCheck
from wunder.errors import Conflict
from wunder.store.sqlite.store import open_store


@pytest.fixture(params=["fake", "sqlite"])
async def check(request, tmp_path):
    if request.param == "fake":
        yield FakeKeyCheck()
        return
    store = await open_store(tmp_path, FakeClock())
    yield store.key_check
    await store.close()


async def test_a_new_store_has_no_value(check):
    assert await check.get() is None


async def test_what_was_put_is_there(check):
    await check.put(b"\x00\xff" * 16)
    assert await check.get() == b"\x00\xff" * 16


async def test_putting_the_same_again_changes_nothing(check):
    await check.put(b"a")
    await check.put(b"a")
    assert await check.get() == b"a"


async def test_another_value_is_refused(check):
    await check.put(b"a")
    with pytest.raises(Conflict):
        await check.put(b"b")
    assert await check.get() == b"a"
