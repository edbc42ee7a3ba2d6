"""What every VisibilityTable promises."""

from tests.contracts.store_world import World
from wunder.model.ids import At, ChannelId

QQ, WX = ChannelId("qqbot"), ChannelId("wechat")


async def test_nothing_is_visible_until_somebody_says_so(world: World) -> None:
    assert await world.store.visibility.visible() == set()


async def test_a_channel_is_shown_and_hidden_again(world: World) -> None:
    await world.store.visibility.choose([QQ, WX], is_visible=True, at=At(1), by="ann")
    assert await world.store.visibility.visible() == {QQ, WX}
    await world.store.visibility.choose([WX], is_visible=False, at=At(2), by="ann")
    assert await world.store.visibility.visible() == {QQ}
