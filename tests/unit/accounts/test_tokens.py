"""API tokens and the first-run token, over a real store."""

import asyncio
import stat

import pytest

from wunder.accounts.setup_token import LIFE_MS, SETUP_FILE, SetupToken
from wunder.accounts.tokens import TokenDesk
from wunder.errors import Invalid, NotAllowed, NotFound
from wunder.model.token import SCOPES


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "gateway"


@pytest.fixture
def setup(data_dir):
    return SetupToken(data_dir)


@pytest.fixture
def desk(world, setup):
    return TokenDesk(world.store.tokens, setup, world.events, world.clock)


async def test_a_token_is_shown_once_and_kept_as_a_hash(world, desk):
    token, text = await desk.create("ci", ["send", "read"], None, "ann")
    assert text.startswith("wndr_")
    assert len(text) == 48
    assert token.scopes == ("read", "send")
    assert desk.check(text) == token
    assert await desk.list() == [token]
    assert text not in repr(await world.store.tokens.all())
    assert text not in repr(world.events.seen)


async def test_what_is_no_token_is_nothing(desk):
    _, text = await desk.create("ci", ["read"], None, "ann")
    for wrong in ("", "wndr_", text[:-1], text + "x", text.upper(), "wndr_\ud800", "x" * 10_000):
        assert desk.check(wrong) is None


async def test_a_token_ends_at_its_time(world, desk):
    _, text = await desk.create("ci", ["read"], 60, "ann")
    world.clock.advance(59)
    assert desk.check(text)
    world.clock.advance(1)
    assert desk.check(text) is None


async def test_a_revoked_token_ends_at_once_also_for_another_desk(world, desk, setup):
    token, text = await desk.create("ci", ["read"], None, "ann")
    other = TokenDesk(world.store.tokens, setup, world.events, world.clock)
    await other.reload()
    assert other.check(text)
    await desk.revoke(token.token_id, "ann")
    assert desk.check(text) is None
    await other.reload()
    assert other.check(text) is None
    with pytest.raises(NotFound):
        await desk.revoke("unknown", "ann")


async def test_a_token_of_this_run_is_nowhere_stored_and_outlives_a_reload(world, desk, setup):
    text = desk.admit_this_run()
    await desk.reload()
    assert desk.check(text).scopes == SCOPES
    assert await desk.list() == []
    other = TokenDesk(world.store.tokens, setup, world.events, world.clock)
    await other.reload()
    assert other.check(text) is None


@pytest.mark.parametrize(
    ("name", "scopes", "ttl_s", "place"),
    [
        ("", ["read"], None, "/name"),
        ("x" * 101, ["read"], None, "/name"),
        ("a\x1b", ["read"], None, "/name"),
        ("ci", [], None, "/scopes"),
        ("ci", ["root"], None, "/scopes"),
        ("ci", ["read"], 0, "/ttl_s"),
    ],
)
async def test_a_wrong_field_is_named(desk, name, scopes, ttl_s, place):
    with pytest.raises(Invalid) as refused:
        await desk.create(name, scopes, ttl_s, "ann")
    assert [fault.pointer for fault in refused.value.faults] == [place]


async def test_rule_16_the_setup_token_is_a_private_file(desk, setup, data_dir):
    place = await desk.offer_setup()
    assert place == str(data_dir / SETUP_FILE)
    assert stat.S_IMODE((data_dir / SETUP_FILE).stat().st_mode) == 0o600
    assert len(setup.read()) == 43


async def test_rule_16_the_setup_token_gives_every_scope_once(desk, setup, data_dir):
    await desk.offer_setup()
    text = setup.read()
    token, secret = await desk.redeem_setup(text, "first")
    assert token.scopes == SCOPES
    assert desk.check(secret) == token
    assert not (data_dir / SETUP_FILE).exists()
    with pytest.raises(NotAllowed):
        await desk.redeem_setup(text, "second")
    assert await desk.offer_setup() is None


async def test_rule_16_of_two_at_once_one_is_let_in(desk, setup):
    await desk.offer_setup()
    text = setup.read()

    async def attempt():
        try:
            return await desk.redeem_setup(text, "first")
        except NotAllowed:
            return None

    came = await asyncio.gather(*(attempt() for _ in range(5)))
    assert sum(one is not None for one in came) == 1


async def test_rule_16_a_wrong_or_old_setup_token_is_refused(world, desk, setup):
    await desk.offer_setup()
    text = setup.read()
    for wrong in ("", text[:-1], text + "x", "\ud800"):
        with pytest.raises(NotAllowed):
            await desk.redeem_setup(wrong, "first")
    world.clock.advance(LIFE_MS / 1000)
    with pytest.raises(NotAllowed):
        await desk.redeem_setup(text, "first")


async def test_rule_16_a_valid_setup_token_survives_a_restart_and_an_old_one_does_not(
    world, desk, setup
):
    await desk.offer_setup()
    text = setup.read()
    await desk.offer_setup()
    assert setup.read() == text
    world.clock.advance(LIFE_MS / 1000)
    await desk.offer_setup()
    assert setup.read() != text


async def test_a_damaged_setup_file_is_made_anew(desk, setup, data_dir):
    await desk.offer_setup()
    (data_dir / SETUP_FILE).write_text("half a fi")
    assert setup.read() == ""
    await desk.offer_setup()
    assert setup.read()
