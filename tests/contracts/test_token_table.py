"""What every TokenTable promises."""

import msgspec
import pytest

from tests.contracts.store_world import World
from wunder.errors import Conflict, NotFound
from wunder.model.ids import At, TokenId
from wunder.model.intake import SpoolVerdict
from wunder.model.token import ApiToken

TOKEN = ApiToken(
    token_id=TokenId("t1"),
    name="ci",
    token_hash=b"\x00\xff" * 16,
    scopes=("read", "send"),
    created_at=At(5),
    created_by="ann",
    expires_at=At(99),
)


async def test_a_token_comes_back_as_it_was_stored(world: World) -> None:
    await world.store.tokens.add(TOKEN)
    assert await world.store.tokens.all() == [TOKEN]


async def test_a_revoked_token_stays_visible_with_its_first_end(world: World) -> None:
    await world.store.tokens.add(TOKEN)
    await world.store.tokens.revoke(TokenId("t1"), At(10))
    await world.store.tokens.revoke(TokenId("t1"), At(20))
    assert await world.store.tokens.all() == [msgspec.structs.replace(TOKEN, revoked_at=At(10))]


async def test_a_hash_is_stored_once(world: World) -> None:
    await world.store.tokens.add(TOKEN)
    with pytest.raises(Conflict):
        await world.store.tokens.add(msgspec.structs.replace(TOKEN, token_id=TokenId("t2")))


async def test_a_token_that_is_not_there_cannot_be_revoked(world: World) -> None:
    with pytest.raises(NotFound):
        await world.store.tokens.revoke(TokenId("t1"), world.now)


async def test_a_request_that_was_set_aside_sealed_needs_the_key_still(world: World) -> None:
    """Security rule 8: no key is made where something is sealed with another."""
    assert not await world.store.key_check.holds_ciphertext()
    request = world.spooled()
    await world.store.intake.spool(request)
    at, verdict = world.now, SpoolVerdict.QUARANTINED
    await world.store.intake.settle_spooled(request, verdict, at, "spool_expired")
    assert await world.store.key_check.holds_ciphertext()
