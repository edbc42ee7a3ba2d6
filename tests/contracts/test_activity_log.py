"""What every ActivityLog promises."""

from tests.contracts.store_world import UID, World
from wunder.model.ids import AccountUid
from wunder.model.message import MessageState


async def test_nothing_came_for_an_account_until_something_did(world: World) -> None:
    assert not await world.store.activity.has_received(UID)
    assert await world.store.activity.last_grown_at(UID) is None


async def test_a_message_that_nobody_answers_counts(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, state=MessageState.UNROUTED)
    assert await world.store.activity.has_received(UID)
    assert not await world.store.activity.has_received(AccountUid("other"))


async def test_a_conversation_that_grew_says_when(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, "hello")
    assert await world.store.activity.last_grown_at(UID) == world.now
    assert await world.store.activity.last_grown_at(AccountUid("other")) is None
