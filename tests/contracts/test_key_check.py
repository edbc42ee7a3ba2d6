"""What every keeper of the key's check value promises; the store's own runs here too."""

import pytest

from tests.fakes.key_check import FakeKeyCheck
from wunder.errors import Conflict


@pytest.fixture(params=[FakeKeyCheck])
def check(request):
    return request.param()


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
