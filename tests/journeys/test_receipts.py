"""Receipts: what a platform says later reaches the delivery, its trail, the API and the terminal."""

from tests.journeys.corridor import corridor
from tests.journeys.http_gateway import http_gateway
from wunder.model.delivery import DeliveryState
from wunder.upkeep.ledger import DeliveryFilter

SENT, FAILED = DeliveryState.SENT, DeliveryState.FAILED
HELLO = {"id": "1", "peer": "ann", "text": "hi"}
ACCOUNT = {"channel": "chat", "account_id": "main", "provider_config": {"app_id": "1"}}
BINDING = {"channel": "chat", "account_id": "main", "agent_id": "echo"}


async def only(here):
    page = await here.store.ledger.deliveries(DeliveryFilter(), 10, "")
    return page.items[0]


async def test_receipts_move_a_delivery_forward_and_never_back(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(HELLO)
        await here.until_states(SENT)
        for status, shown in (("delivered", "delivered"), ("read", "read"), ("delivered", "read")):
            assert (await here.post({"receipt": status, "of": "p1"})).status == 200
            assert (await only(here)).receipt == shown
        delivery = await only(here)
        trail = await here.store.ledger.trail(delivery.root_message_id)
        assert [step.detail["status"] for step in trail if step.step == "receipt"] == [
            "delivered",
            "read",
        ]


async def test_a_refusal_that_comes_later_fails_the_delivery_without_another_try(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(HELLO)
        await here.until_states(SENT)
        await here.post({"receipt": "failed", "of": "p1", "detail": "blocked"})
        await here.until_states(FAILED)
        here.clock.advance(3600)
        assert len(here.platform.arrivals) == 1
        assert (await only(here)).error == "blocked"


async def test_a_receipt_that_overtakes_the_outcome_is_joined_later(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post({"receipt": "read", "of": "p1"})
        await here.post(HELLO)
        await here.until_states(SENT)
        assert (await only(here)).receipt == "read"


async def test_another_accounts_receipt_says_nothing(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.add_account("other")
        await here.post(HELLO)
        await here.until_states(SENT)
        await here.post({"receipt": "read", "of": "p1"}, account="other")
        assert (await only(here)).receipt == "none"


async def test_a_reply_that_was_shown_while_it_was_written_has_receipts_too(tmp_path) -> None:
    async with corridor(tmp_path, capabilities={"edit": True}) as here:

        async def streamed(turn):
            turn.say("h")
            await here.until(lambda: here.platform.screen)
            return await echo(turn)

        async def echo(turn):
            here.agents.answer_with = None
            return await here.agents.answer(turn)

        here.agents.answer_with = streamed
        await here.post(HELLO)
        await here.until_states(SENT)
        await here.post({"receipt": "read", "of": "p1"})
        assert (await only(here)).receipt == "read"


async def test_the_api_shows_receipts_and_their_step(tmp_path) -> None:
    async with http_gateway(tmp_path) as here:
        await here.call("POST", "channels/accounts", ACCOUNT)
        await here.call("POST", "channels/bindings", BINDING)
        await here.webhook(HELLO)
        (sent,) = await here.until("channels/outbox", state="sent")
        await here.webhook({"receipt": "read", "of": sent["provider_message_id"]})
        await here.until("channels/outbox", receipt="read")
        _, one = await here.call("GET", f"channels/outbox/{sent['delivery_id']}")
        assert one["receipt"] == "read"
        _, trail = await here.call("GET", f"channels/messages/{sent['root_message_id']}/trail")
        assert trail["items"][-1]["step"] == "receipt"
        assert trail["items"][-1]["detail"] == {"status": "read"}
