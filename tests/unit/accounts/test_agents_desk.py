"""Agents as administrators write them, over a real store."""

import msgspec
import pytest

from wunder.accounts.agent_kinds import AGENT_SCHEMAS
from wunder.accounts.agents import AgentDraft
from wunder.accounts.schema_rules import schema_faults
from wunder.accounts.secrets import SET
from wunder.errors import Conflict, Invalid, NotFound

MODEL = {"base_url": "https://api.example/v1", "model": "small", "api_key": "sk-hidden"}


async def put(world, agent_id="gpt", rev=None, config=None, **fields):
    usual = {"agent_id": agent_id, "kind": "openai"}
    usual["config"] = MODEL if config is None else config
    return await world.agents.put(AgentDraft(**{**usual, **fields}), rev, "ann")


async def faults(writing) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        await writing
    return {fault.pointer: fault.code for fault in refused.value.faults}


async def test_an_agent_is_stored_sealed_and_shown_without_its_key(world):
    view = await put(world)
    assert view.config["api_key"] == SET
    assert view.config["history_messages"] == 20
    spec = world.agents.spec("gpt")
    assert spec.secrets == {"api_key": "sk-hidden"}
    assert "sk-hidden" not in repr(spec)
    (row,) = await world.store.agents.all()
    assert b"sk-hidden" not in row.secrets
    assert await world.agents.get("gpt") == view
    assert "sk-hidden" not in repr(world.events.seen)


async def test_rule_6_a_changed_base_url_needs_the_key_again(world):
    await put(world)
    moved = {"base_url": "https://evil.example/v1", "model": "small"}
    assert await faults(put(world, config=moved)) == {"/config/api_key": "secret_needed_again"}
    assert await faults(put(world, config={**moved, "api_key": SET})) == {
        "/config/api_key": "secret_needed_again"
    }
    await put(world, config={**moved, "api_key": "new"})
    assert world.agents.spec("gpt").secrets == {"api_key": "new"}


async def test_absent_keeps_the_key_and_null_clears_it(world):
    await put(world)
    without = {"base_url": MODEL["base_url"], "model": "large"}
    await put(world, config=without)
    assert world.agents.spec("gpt").secrets == {"api_key": "sk-hidden"}
    await put(world, config={**without, "api_key": None})
    assert world.agents.spec("gpt").secrets == {}


async def test_a_spec_stays_the_same_object_until_its_row_changes(world):
    await put(world)
    spec = world.agents.spec("gpt")
    await put(world, "other")
    assert world.agents.spec("gpt") is spec
    await put(world, config={**MODEL, "model": "large"})
    assert world.agents.spec("gpt").config["model"] == "large"
    assert world.agents.spec("nobody") is None


async def test_exactly_one_is_the_default(world):
    assert (await put(world, "one")).is_default
    assert not (await put(world, "two")).is_default
    assert (await put(world, "two", is_default=True)).is_default
    assert world.agents.default_id() == "two"
    assert [view.is_default for view in await world.agents.list()] == [False, True]
    assert (await put(world, "two", is_default=False)).is_default
    with pytest.raises(Conflict):
        await world.agents.remove("two", "ann")
    await world.agents.remove("one", "ann")
    assert [view.agent_id for view in await world.agents.list()] == ["two"]


async def test_an_agent_keeps_its_kind(world):
    await put(world)
    with pytest.raises(Conflict) as refused:
        await put(world, kind="echo", config={})
    assert refused.value.reason == "kind"


async def test_wrong_settings_are_named(world):
    assert await faults(put(world, config={"base_url": "ftp://x", "model": ""})) == {
        "/config/base_url": "pattern",
        "/config/model": "minLength",
    }
    assert await faults(put(world, "Not A Label")) == {"/agent_id": "pattern"}
    secretless = put(world, "svc", kind="http", config={"url": "https://a.example"})
    assert await faults(secretless) == {"/config/signing_secret": "required"}


async def test_an_old_revision_is_refused(world):
    view = await put(world)
    await put(world, rev=view.rev, config={**MODEL, "model": "large"})
    with pytest.raises(Conflict):
        await put(world, rev=view.rev)
    with pytest.raises(Conflict):
        await put(world, "gone", rev=3)


async def test_a_broken_seal_makes_no_agent_and_no_error(world):
    await put(world)
    (row,) = await world.store.agents.all()
    await world.store.agents.put(msgspec.structs.replace(row, secrets=b"\x01" * 40), None)
    await world.agents.reload()
    assert world.agents.spec("gpt") is None
    assert "api_key" not in (await world.agents.get("gpt")).config


async def test_what_is_not_there_is_not_found(world):
    with pytest.raises(NotFound):
        await world.agents.get("nobody")
    with pytest.raises(NotFound):
        await world.agents.remove("nobody", "ann")


@pytest.mark.parametrize("kind", AGENT_SCHEMAS)
def test_rule_12_our_own_forms_keep_the_rules_of_forms(kind):
    assert not schema_faults(AGENT_SCHEMAS[kind])


async def test_the_first_agent_of_a_gateway_needs_no_checker(world):
    def compile_nothing(schema):
        raise AssertionError("the checker was loaded")

    world.agents._parts.schemas._compile = compile_nothing
    assert (await put(world, "echo", kind="echo", config={})).is_default
    assert (await world.agents.get("echo")).config == {"prefix": ""}
