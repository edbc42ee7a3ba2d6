"""Records behave as the standard library's frozen dataclasses with slots do."""

import copy
import dataclasses
import pickle
from typing import Any

import msgspec
import pytest

from wunder_wire.message import Peer
from wunder_wire.methods import Account, ParseResult, SendParams
from wunder_wire.record import dataclass as record


def make(decorator):
    @decorator(frozen=True, slots=True)
    class Thing:
        """A thing."""

        name: str
        size: int = 1
        parts: tuple[str, ...] = ()
        more: dict[str, Any] = dataclasses.field(default_factory=dict)

        @property
        def is_big(self) -> bool:
            return self.size > 10

    return Thing


Ours, Theirs = make(record), make(dataclasses.dataclass)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("a",), {}),
        (("a", 2), {"parts": ("x",)}),
        ((), {"name": "a", "more": {"k": 1}}),
        ((), {}),
        (("a", 1, (), {}, 5), {}),
        (("a",), {"name": "b"}),
        (("a",), {"weight": 5}),
    ],
)
def test_they_are_made_alike(args, kwargs):
    try:
        theirs = dataclasses.astuple(Theirs(*args, **kwargs))
    except TypeError:
        with pytest.raises(TypeError):
            Ours(*args, **kwargs)
    else:
        assert dataclasses.astuple(Ours(*args, **kwargs)) == theirs


def test_they_look_alike():
    assert repr(Ours("a")) == repr(Theirs("a"))
    assert Ours.__match_args__ == Theirs.__match_args__
    assert Ours.__slots__ == Theirs.__slots__
    assert (Ours.__doc__, Ours.__module__) == (Theirs.__doc__, Theirs.__module__)
    assert not hasattr(Ours("a"), "__dict__")
    assert Ours("a", 11).is_big


def test_they_are_equal_and_hashed_by_value():
    assert Ours("a") == Ours("a") != Ours("b")
    assert Ours("a") != ("a", 1, (), {})
    assert len({Peer("user", "1"), Peer("user", "1"), Peer("user", "2")}) == 2
    with pytest.raises(TypeError):
        hash(Ours("a"))  # it holds a dict


def test_they_are_frozen():
    thing = Ours("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        thing.name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del thing.name
    with pytest.raises(dataclasses.FrozenInstanceError):
        thing.other = 1


def test_each_has_containers_of_its_own():
    one, other = Ours("a"), Ours("b")
    one.more["k"] = 1
    assert other.more == {}


def test_copies_and_replacements_are_records_again():
    account = Account("a", 1, {"k": [1]})

    assert dataclasses.replace(account, rev=2) == Account("a", 2, {"k": [1]})
    assert copy.deepcopy(account) == account
    assert pickle.loads(pickle.dumps(account)) == account
    assert dataclasses.asdict(Ours("a"))["parts"] == ()


def test_msgspec_reads_and_writes_them():
    sent = SendParams(Account("a", 1, {}), None, "key")
    result = ParseResult(ignored="x")
    assert msgspec.json.decode(msgspec.json.encode(result), type=ParseResult) == result
    assert msgspec.to_builtins(sent)["idempotency_key"] == "key"


def test_a_record_that_is_no_record_is_refused():
    with pytest.raises(TypeError):
        record(frozen=False, slots=True)
