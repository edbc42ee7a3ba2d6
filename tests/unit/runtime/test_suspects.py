"""Who is blamed for a crash."""

from wunder.runtime.suspects import REMEMBERED, Suspects, key_of
from wunder_wire.message import OutboundMessage, Peer
from wunder_wire.methods import Account, Empty, HttpRequest, ParseParams, SendParams

ACCOUNT = Account("main", 1, {})


def parse(body: str, received_ms: int = 1) -> ParseParams:
    return ParseParams(ACCOUNT, HttpRequest("POST", "/", (), (), body, "192.0.2.1", received_ms))


def test_a_delivery_is_known_by_its_key_and_a_request_by_its_body():
    send = SendParams(ACCOUNT, OutboundMessage("c", "main", Peer("user", "u")), "d1", attempt=2)
    assert key_of(send) == "delivery:d1"
    assert key_of(parse("AA==", 1)) == key_of(parse("AA==", 2)) != key_of(parse("AQ==", 1))
    assert key_of(Empty()) == ""


def test_who_was_there_twice_is_a_suspect_and_a_bystander_of_one_is_not():
    suspects = Suspects()
    assert suspects.crashed(["a", "b"]) == ""
    assert not suspects
    assert suspects.crashed(["a", "c"]) == ""
    assert suspects
    assert [suspects.is_suspect(key) for key in "abc"] == [True, False, False]


def test_only_a_suspect_that_was_alone_is_quarantined():
    suspects = Suspects()
    assert suspects.crashed(["a"]) == suspects.crashed(["a"]) == ""
    assert suspects.crashed(["a", ""]) == "", "a call without a key was there as well"
    assert suspects.crashed(["a"]) == "a"
    assert suspects.is_quarantined("a")


def test_a_suspect_whose_call_came_back_is_acquitted():
    suspects = Suspects()
    suspects.crashed(["a"])
    suspects.crashed(["a"])
    suspects.acquit("a")
    assert not suspects


def test_the_oldest_are_forgotten():
    suspects = Suspects()
    for number in range(REMEMBERED + 1):
        suspects.crashed([f"k{number}"])
    suspects.crashed(["k0"])
    suspects.crashed([f"k{REMEMBERED}"])
    assert (suspects.is_suspect("k0"), suspects.is_suspect(f"k{REMEMBERED}")) == (False, True)
