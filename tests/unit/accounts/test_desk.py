"""Accounts as operators write them, over a real store."""

import asyncio
import re

import msgspec
import pytest

from wunder.accounts.agents import AgentDraft
from wunder.accounts.bindings import BindingDraft
from wunder.accounts.drafts import AccountChanges, AccountDraft
from wunder.accounts.secrets import SET
from wunder.errors import Conflict, Invalid, NotFound
from wunder.model.account import AccessRules, DeliverySettings
from wunder.model.fault import FaultKind
from wunder.model.ids import AccountUid
from wunder.model.provider import ConfigVerdict
from wunder.model.redaction import struck

GOOD = {"app_id": "app1", "app_secret": "top-secret"}


def draft(account_id="main", config=None, **more) -> AccountDraft:
    return AccountDraft(
        channel="chat", account_id=account_id, provider_config=config or GOOD, **more
    )


async def create(world, account_id="main", config=None, **more):
    return await world.accounts.create(draft(account_id, config, **more), "ann")


async def faults(writing) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        await writing
    return {fault.pointer: fault.code for fault in refused.value.faults}


async def conflict(writing) -> str:
    with pytest.raises(Conflict) as refused:
        await writing
    return refused.value.reason


async def test_a_new_account_is_judged_sealed_and_shown_without_its_secrets(world):
    view = await create(world, display_name="Main")
    assert view.status == "enabled"
    assert view.note == ""
    assert view.provider_config == {
        "app_id": "app1",
        "host": "https://platform.example",
        "app_secret": SET,
    }
    assert await world.accounts.list() == [view]
    mode, public, secrets = world.provider.asked[0]
    assert mode == "static"
    assert (public["app_id"], secrets) == ("app1", {"app_secret": "top-secret"})
    (row,) = await world.store.accounts.all()
    assert b"top-secret" not in row.secrets
    assert "top-secret" not in repr(row.config)


async def test_rule_7_a_webhook_key_is_random_and_has_128_bits(world):
    keys = {
        (await create(world, f"a{n}", {**GOOD, "app_id": f"app{n}"})).webhook_key for n in (1, 2)
    }
    assert len(keys) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


async def test_an_account_is_found_by_label_and_by_key_and_opened(world):
    view = await create(world)
    account = world.book.named("chat", "main")
    assert account.secrets == {"app_secret": "top-secret"}
    assert world.book.named("chat", view.webhook_key) is account
    assert world.book.enabled("chat") == [account]
    assert world.book.get(account.uid) is account
    assert world.book.named("other", "main") is None


@pytest.mark.parametrize("label", ["", "Main", "-a", "a b", "ä", "a" * 65, "a/b", "a\n"])
async def test_a_label_has_its_form(world, label):
    assert await faults(create(world, label)) == {"/account_id": "pattern"}


async def test_wrong_fields_are_named_with_their_place_and_nothing_is_stored(world):
    wrong = create(world, config={"app_id": "a", "odd": 1}, display_name="x\x1b")
    assert await faults(wrong) == {"/display_name": "text"}
    assert await faults(create(world, config={"app_id": "a", "odd": 1})) == {
        "/provider_config/app_id": "minLength",
        "/provider_config/app_secret": "required",
        "/provider_config/odd": "additionalProperties",
    }
    world.provider.refuse("/app_id", "not in our list")
    assert await faults(create(world)) == {"/provider_config/app_id": "wrong"}
    delivery = DeliverySettings(ttl_s=0)
    assert await faults(create(world, delivery=delivery)) == {"/delivery/ttl_s": "minimum"}
    assert await world.accounts.list() == []
    assert world.events.seen == []


async def test_what_a_provider_says_is_struck_of_secrets(world):
    world.provider.refuse("/app_id", "the secret top-secret is wrong" + "!" * 1000)
    with pytest.raises(Invalid) as refused:
        await create(world)
    words = refused.value.faults[0].message
    assert words.startswith("the secret *** is wrong")
    assert len(words) == 500
    assert struck("abc", {"a": "b"}) == "abc"


async def test_an_unknown_channel_is_a_fault(world):
    unknown = AccountDraft(channel="nowhere", account_id="main", provider_config={})
    assert await faults(world.accounts.create(unknown, "ann")) == {"/channel": "unknown"}


@pytest.mark.parametrize(
    "fault", [FaultKind.PLUGIN_CRASHED, FaultKind.BREAKER_OPEN, FaultKind.BUSY]
)
async def test_a_provider_that_is_down_leaves_a_draft_and_the_answer_says_so(world, fault):
    world.provider.fault = fault
    view = await create(world)
    assert (view.status, view.note) == ("draft", "provider_unavailable")
    world.provider.fault = None
    view = await world.accounts.patch("chat", "main", AccountChanges(is_enabled=True), None, "ann")
    assert (view.status, view.note) == ("enabled", "")


async def test_a_provider_that_serves_nothing_or_hangs_leaves_a_draft_too(world):
    world.provider.hang.clear()
    assert (await create(world)).status == "draft"
    world.providers.stop("chat")
    assert (await create(world, "two", {**GOOD, "app_id": "app2"})).status == "draft"


async def test_a_plugin_without_an_opinion_has_no_objection(world):
    world.provider.fault = FaultKind.METHOD_NOT_FOUND
    assert (await create(world)).status == "enabled"


async def test_a_refusal_by_error_is_a_refusal(world):
    world.provider.fault = FaultKind.ACCOUNT_CONFIG_INVALID
    assert await faults(create(world)) == {"/provider_config": "account_config_invalid"}


async def test_a_disabled_account_needs_no_provider(world):
    world.providers.stop("chat")
    view = await create(world, is_enabled=False)
    assert view.status == "disabled"
    assert world.book.enabled("chat") == []
    assert world.book.named("chat", "main") is not None


async def test_rule_7_the_same_login_is_not_enabled_twice_by_lookup_field(world):
    await create(world)
    assert await conflict(create(world, "twin")) == "external_id_in_use"
    twin = await create(world, "twin", is_enabled=False)
    assert twin.status == "disabled"
    enabling = world.accounts.patch("chat", "twin", AccountChanges(is_enabled=True), None, "ann")
    assert await conflict(enabling) == "external_id_in_use"


async def test_rule_7_the_same_login_is_not_enabled_twice_by_what_the_platform_says(world):
    world.provider.verdict = ConfigVerdict(is_ok=True, external_id="bot-1", display_name="Bot")
    view = await create(world)
    assert (view.external_id, view.display_name) == ("bot-1", "Bot")
    assert await conflict(create(world, "twin", {**GOOD, "app_id": "app2"})) == "external_id_in_use"


async def test_rule_7_a_user_is_not_told_whose_login_it_is(world):
    """What is not theirs is not there: not even the name of the account that has the login."""
    await create(world, "ceo-phone")
    with pytest.raises(Conflict) as refused:
        await create(world, "twin", owner_user_id="ann")
    assert refused.value.reason == "external_id_in_use"
    assert "ceo-phone" not in f"{refused.value.detail} {refused.value.state}"
    with pytest.raises(Conflict) as refused:
        await create(world, "twin")
    assert refused.value.state == {"account_id": "ceo-phone"}
    await create(world, "theirs", is_enabled=False, owner_user_id="ann")
    verdict = await world.accounts.test("chat", "theirs")
    assert "ceo-phone" not in str(verdict)


async def test_rule_7_two_at_once_with_the_same_login_leave_one(world):
    async def attempt(label):
        try:
            return await create(world, label)
        except Conflict:
            return None

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        tasks = [group.create_task(attempt(label)) for label in ("a", "b", "c")]
    assert sum(task.result() is not None for task in tasks) == 1


async def test_a_name_in_use_is_refused_and_so_is_somebodys_webhook_key(world):
    view = await create(world)
    other = {**GOOD, "app_id": "app2"}
    assert await conflict(create(world, "main", other)) == "account_exists"
    assert await conflict(create(world, view.webhook_key, other)) == "account_exists"


async def test_a_new_account_with_an_old_name_inherits_nothing(world):
    first = await create(world)
    await world.agents.put(_echo(), None, "ann")
    await world.bindings.put(_bind("main"), None, "ann")
    assert (await world.accounts.impact("chat", "main")).bindings
    assert await world.accounts.remove("chat", "main", "ann") == 0
    assert world.book.named("chat", "main") is None
    assert world.book.get(AccountUid(first.account_uid)) is None
    second = await create(world)
    assert second.account_uid != first.account_uid
    assert second.webhook_key != first.webhook_key
    assert (await world.accounts.impact("chat", "main")).bindings == ()


def _echo():
    return AgentDraft(agent_id="echo", kind="echo")


def _bind(label):
    return BindingDraft(channel="chat", account_id=label, agent_id="echo")


async def test_rule_6_over_the_desk(world):
    await create(world)
    kept = await world.accounts.replace(
        "chat", "main", draft(config={"app_id": "app1"}), None, "ann"
    )
    assert world.book.named("chat", "main").secrets == {"app_secret": "top-secret"}
    moved = draft(config={"app_id": "app1", "host": "https://evil.example", "app_secret": SET})
    assert await faults(world.accounts.replace("chat", "main", moved, None, "ann")) == {
        "/provider_config/app_secret": "secret_needed_again"
    }
    cleared = AccountChanges(provider_config={"app_secret": None})
    assert await faults(world.accounts.patch("chat", "main", cleared, None, "ann")) == {
        "/provider_config/app_secret": "required"
    }
    again = AccountChanges(provider_config={"host": "https://new.example", "app_secret": "another"})
    view = await world.accounts.patch("chat", "main", again, kept.rev, "ann")
    assert view.provider_config["host"] == "https://new.example"
    assert world.book.named("chat", "main").secrets == {"app_secret": "another"}


async def test_rule_8_an_old_ciphertext_does_not_open_under_a_newer_revision(world):
    await create(world)
    (before,) = await world.store.accounts.all()
    change = AccountChanges(provider_config={"app_secret": "another"})
    await world.accounts.patch("chat", "main", change, None, "ann")
    (after,) = await world.store.accounts.all()
    assert after.secret_rev == before.secret_rev + 1
    forged = msgspec.structs.replace(after, secrets=before.secrets)
    await world.store.accounts.update(forged, None)
    await world.book.reload()
    assert world.book.named("chat", "main") is None
    assert world.book.enabled("chat") == []
    (view,) = await world.accounts.list()
    assert "app_secret" not in view.provider_config


async def test_a_write_that_is_based_on_an_old_revision_is_refused(world):
    view = await create(world)
    rename = AccountChanges(display_name="New")
    newer = await world.accounts.patch("chat", "main", rename, view.rev, "ann")
    assert newer.rev == view.rev + 1
    assert await conflict(world.accounts.patch("chat", "main", rename, view.rev, "bob")) == "rev"


async def test_disabling_asks_nobody_and_keeps_everything(world):
    await create(world)
    world.providers.forget("chat")
    view = await world.accounts.patch("chat", "main", AccountChanges(is_enabled=False), None, "ann")
    assert view.status == "disabled"
    assert view.provider_config["app_secret"] == SET
    access = AccessRules(groups="off")
    view = await world.accounts.patch("chat", "main", AccountChanges(access=access), None, "ann")
    assert view.access == access
    enabling = world.accounts.patch("chat", "main", AccountChanges(is_enabled=True), None, "ann")
    assert await faults(enabling) == {"/channel": "unknown"}


async def test_changing_the_rules_of_a_running_account_does_not_stop_it(world):
    await create(world)
    world.providers.stop("chat")
    access = AccountChanges(access=AccessRules(deny_senders=("spam",)))
    view = await world.accounts.patch("chat", "main", access, None, "ann")
    assert (view.status, view.note) == ("enabled", "")


async def test_testing_tells_what_the_platform_says_and_keeps_who_the_account_is(world):
    await create(world)
    world.provider.verdict = ConfigVerdict(is_ok=True, external_id="bot-1")
    assert (await world.accounts.test("chat", "main")).is_ok
    assert world.provider.asked[-1][0] == "live"
    assert (await world.accounts.get("chat", "main")).external_id == "bot-1"
    world.provider.fault, world.provider.words = FaultKind.AUTH_FAILED, "top-secret is wrong"
    verdict = await world.accounts.test("chat", "main")
    assert (verdict.is_ok, verdict.errors[0].code) == (False, "auth_failed")
    assert verdict.errors[0].message == "*** is wrong"
    world.provider.fault = None
    world.provider.hang.clear()
    assert (await world.accounts.test("chat", "main")).errors[0].code == "timeout"
    world.providers.stop("chat")
    assert (await world.accounts.test("chat", "main")).errors[0].code == "provider_unavailable"


async def test_reconnecting_is_a_new_revision_of_an_account_that_was_never_off(world):
    view = await create(world)
    verdict = await world.accounts.reconnect("chat", "main", "ann")
    after = await world.accounts.get("chat", "main")
    assert (verdict.is_ok, after.status, after.rev) == (True, "enabled", view.rev + 1)
    assert after.provider_config == view.provider_config
    assert world.events.names() == ["account_created", "account_reconnected"]
    await world.accounts.patch("chat", "main", AccountChanges(is_enabled=False), None, "ann")
    refused = world.accounts.reconnect("chat", "main", "ann")
    assert await conflict(refused) == "account_not_enabled"


async def test_rule_7_a_test_that_finds_a_twin_says_so(world):
    world.provider.verdict = ConfigVerdict(is_ok=True, external_id="bot-1")
    await create(world)
    world.provider.verdict = ConfigVerdict(is_ok=True)
    await create(world, "twin", {**GOOD, "app_id": "app2"})
    world.provider.verdict = ConfigVerdict(is_ok=True, external_id="bot-1")
    verdict = await world.accounts.test("chat", "twin")
    assert (verdict.is_ok, verdict.errors[0].code) == (False, "external_id_in_use")


async def test_rule_18_events_name_what_changed_and_tell_no_secret(world):
    await create(world)
    change = AccountChanges(provider_config={"app_id": "app9", "app_secret": "another"})
    await world.accounts.patch("chat", "main", change, None, "bob")
    await world.accounts.remove("chat", "main", "ann")
    assert world.events.names() == ["account_created", "account_changed", "account_removed"]
    changed = world.events.seen[1]
    assert changed.fields["by"] == "bob"
    assert changed.fields["changed"] == ["/app_id"]
    assert changed.fields["secrets"] == {
        "/app_secret": {"set": True, "hmac8": world.keyring.hmac8("another")}
    }
    assert "another" not in repr(world.events.seen)
    assert "top-secret" not in repr(world.events.seen)


async def test_without_a_schema_the_whole_configuration_is_one_secret(world):
    world.provider.facts = msgspec.structs.replace(world.provider.facts, account_schema=None)
    world.providers.serve(world.provider)
    view = await create(world, config={"anything": {"goes": 1}})
    assert view.provider_config == SET
    assert world.provider.asked[0][1:] == ({}, {"anything": {"goes": 1}})


async def test_what_is_not_there_is_not_found(world):
    for call in (world.accounts.get, world.accounts.test, world.accounts.impact):
        with pytest.raises(NotFound):
            await call("chat", "nobody")


async def test_accounts_that_did_not_change_stay_the_same_objects(world):
    await create(world)
    await create(world, "two", {**GOOD, "app_id": "app2"})
    one, two = (world.book.named("chat", name) for name in ("main", "two"))
    await world.accounts.patch("chat", "two", AccountChanges(display_name="x"), None, "ann")
    assert world.book.named("chat", "main") is one
    assert world.book.named("chat", "two") is not two
    assert [row.account_id for row in world.book.rows()] == ["main", "two"]
