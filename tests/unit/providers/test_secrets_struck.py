"""What a channel says of a call is kept and shown: without the account's secrets."""

import pytest

from tests.fakes.channel_provider import facts
from tests.fakes.clock import FakeClock
from tests.fakes.plugin_blobs import FakePluginBlobs
from tests.unit.outbound.test_attempt import delivery
from tests.unit.providers.test_strangers import Events
from tests.unit.providers.test_translation import REQUEST, ROW
from wunder.errors import ProviderFault
from wunder.model.account import Account
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import At
from wunder.providers.adapter import ProviderAdapter, Surroundings
from wunder.providers.late import evidence_of
from wunder_wire.message import OutboundMessage, Peer
from wunder_wire.methods import Account as WireAccount
from wunder_wire.methods import SendParams, SendResult

CANARY = "canary\n-\u00e9-secret"
SECRETS = {"app": {"keys": [CANARY, "s"]}, "token": CANARY + "-longer"}
ACCOUNT = Account(ROW, SECRETS)
SAID = {f"key {CANARY}": [f"https://a/?token={CANARY}-longer", {"n": 1, "deep": CANARY}], "is": "s"}
KEPT = {"key ***": ["https://a/?token=***", {"n": 1, "deep": "***"}], "is": "s"}


class Gossip(ProviderAdapter):
    """Repeats the secrets it was given."""

    async def _call(self, method, params, result, account_uid):
        if result is SendResult:
            return SendResult("m1", raw_result=SAID)
        raise ProviderFault(Fault(FaultKind.AUTH_FAILED, f"401 for {CANARY}", scope="account"))


@pytest.fixture
def gossip() -> Gossip:
    return Gossip(facts("chat"), Surroundings(FakeClock(), Events(), FakePluginBlobs()))


async def test_rule_18_an_attempt_keeps_no_secret_of_the_account(gossip: Gossip) -> None:
    assert (await gossip.send_outbound(ACCOUNT, delivery(1))).raw_result == KEPT


async def test_rule_18_a_fault_repeats_no_secret_of_the_account(gossip: Gossip) -> None:
    with pytest.raises(ProviderFault) as failed:
        await gossip.parse_inbound(ACCOUNT, REQUEST)
    fault = failed.value.fault
    assert (fault.kind, fault.message, fault.scope) == (
        FaultKind.AUTH_FAILED,
        "401 for ***",
        "account",
    )


def test_rule_18_a_late_success_keeps_no_secret_either() -> None:
    message = OutboundMessage("chat", "main", Peer("user", "u"), text="x")
    asked = SendParams(WireAccount("main", 1, {}, SECRETS), message, "d1")
    evidence = evidence_of(asked, SendResult("m1", raw_result=SAID), At(1))
    assert evidence is not None
    assert evidence.raw_result == KEPT
