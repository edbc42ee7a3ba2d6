"""A late success is evidence within the same bounds as one in time."""

from wunder.model.ids import MAX_PROVIDER_MESSAGE_ID, At
from wunder.providers.late import evidence_of
from wunder_wire.message import OutboundMessage, Peer
from wunder_wire.methods import Account, SendParams, SendResult


def test_a_platforms_id_is_bounded_late_as_in_time() -> None:
    message = OutboundMessage("chat", "main", Peer("user", "u"), text="x")
    asked = SendParams(Account("main", 1, {}), message, "d1")
    evidence = evidence_of(asked, SendResult("m" * 100_000), At(1))
    assert evidence is not None
    assert len(evidence.provider_message_id) == MAX_PROVIDER_MESSAGE_ID
