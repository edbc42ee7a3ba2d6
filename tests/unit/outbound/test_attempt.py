"""One attempt: what is not this node's any more is not sent."""

import random

import pytest

from tests.fakes.accounts import FakeAccounts
from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.conversation import Conversation
from wunder.model.delivery import ClaimedDelivery, DeliveryState, ReleaseRef
from wunder.model.message import OutboundMessage
from wunder.outbound.attempt import Attempt
from wunder.outbound.retry import RetryPolicy

EPOCH = 7


@pytest.fixture
def platform() -> FakeChannelProvider:
    return FakeChannelProvider("chat")


def an_attempt(platform: FakeChannelProvider, living: int) -> Attempt:
    """Attempts of a node whose present life is `living`."""
    row = AccountRow("u1", "chat", "main", "", "enabled", AccountConfig(), b"", 1, 1, "key", 1, 1)
    return Attempt(
        FakeAccounts(Account(row, {})),
        FakeProviders(platform),
        FakeClock(),
        RetryPolicy(),
        random.Random(1),
        lambda epoch: epoch == living,
    )


def delivery(clock_ms: int) -> ClaimedDelivery:
    return ClaimedDelivery(
        delivery_id="d1",
        attempt_id="a1",
        attempt_no=1,
        fence=1,
        message=OutboundMessage("m1", Conversation("u1", "user", "p1"), "chat", "main", "hello"),
        root_message_id="m0",
        reply_ordinal=1,
        part=0,
        part_state=None,
        retries_used=0,
        collisions=0,
        first_sending_at=clock_ms,
        queued_at=clock_ms,
        expires_at=clock_ms + 86_400_000,
        release=ReleaseRef("chat", "1.0.0"),
        begun_by=None,
        had_unknown=False,
        epoch=EPOCH,
    )


async def test_what_this_life_marked_is_sent(platform: FakeChannelProvider) -> None:
    settlement, fault = await an_attempt(platform, EPOCH).make(delivery(1))
    assert (settlement.state, fault) == (DeliveryState.SENT, None)
    assert platform.texts() == ["hello"]


async def test_what_a_life_before_marked_is_not_sent_and_uses_up_no_retry(
    platform: FakeChannelProvider,
) -> None:
    settlement, _ = await an_attempt(platform, EPOCH + 1).make(delivery(1))
    assert platform.texts() == []
    assert (settlement.state, settlement.outcome) == (DeliveryState.PENDING, "not_sent")
    assert not settlement.uses_retry
