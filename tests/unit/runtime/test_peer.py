"""Calls in flight over a wire that a test plays: deadlines, late answers, nonsense."""

import asyncio
import json

import pytest

from tests.fakes.clock import FakeClock
from wunder.errors import ProviderFault
from wunder.model.fault import FaultKind
from wunder.runtime.peer import Peer
from wunder.runtime.policy import WirePolicy
from wunder_wire.lines import LineSplitter
from wunder_wire.message import OutboundMessage
from wunder_wire.message import Peer as OtherSide
from wunder_wire.methods import Account, Empty, HealthResult, SendParams, SendResult


class PlayedWire:
    """Keeps frames until the test says they were written."""

    def __init__(self) -> None:
        self.queue = []
        self.sent = []
        self.has_space = True

    def has_room(self, size_bytes):
        return self.has_space

    def send(self, outgoing, *, at_once=False):
        self.queue.append(outgoing)

    def take_back(self, outgoing):
        if outgoing not in self.queue:
            return False
        self.queue.remove(outgoing)
        return True

    def write(self):
        for outgoing in self.queue:
            outgoing.is_written = True
            self.sent.append(json.loads(outgoing.frame))
        self.queue.clear()


class Heard:
    """Listener that remembers."""

    def __init__(self) -> None:
        self.requests, self.notes, self.lines, self.late = [], [], [], []

    def request(self, frame_id, method, params):
        self.requests.append((frame_id, method, json.loads(params)))

    def notification(self, method, params):
        self.notes.append((method, json.loads(params)))

    def noise(self, line):
        self.lines.append(line)

    def late_success(self, params, result):
        self.late.append((params, result))

    def wire_died(self, kind):
        raise AssertionError(kind)


class Talk:
    def __init__(self) -> None:
        self.clock, self.wire, self.heard = FakeClock(), PlayedWire(), Heard()
        self.peer = Peer(self.wire, self.heard, self.clock, WirePolicy(tombstones=3), 4_000)
        self.splitter = LineSplitter(4_000)

    async def health(self):
        task = asyncio.create_task(
            self.peer.call("plugin.health", Empty(), HealthResult, self.clock.monotonic() + 3)
        )
        await asyncio.sleep(0)
        return task

    async def send(self, key="d1", text="hello"):
        message = OutboundMessage("c", "main", OtherSide("user", "u"), text=text)
        params = SendParams(Account("main", 1, {}), message, key)
        deadline = self.clock.monotonic() + 10
        task = asyncio.create_task(
            self.peer.call("channel.send_outbound", params, SendResult, deadline, True)
        )
        await asyncio.sleep(0)
        return task

    def say(self, document):
        self.hear(json.dumps(document).encode() + b"\n")

    def hear(self, received):
        return self.peer.lines(self.splitter.feed(received))

    def wait(self, seconds):
        self.clock.advance(seconds)
        self.peer.sweep()


async def fault(task):
    with pytest.raises(ProviderFault) as caught:
        await task
    return caught.value.fault.kind, caught.value.fault.outcome


async def test_answers_find_their_calls_in_any_order():
    talk = Talk()
    first, second = await talk.send("d1"), await talk.send("d2")
    talk.wire.write()
    assert [frame["id"] for frame in talk.wire.sent] == [1, 2]
    talk.say({"jsonrpc": "2.0", "id": 2, "result": {"provider_message_id": "p2"}})
    talk.say({"jsonrpc": "2.0", "id": 1, "result": {"provider_message_id": "p1"}})
    assert [(await first), (await second)] == [SendResult("p1"), SendResult("p2")]


async def test_an_answer_with_result_and_error_is_a_failure():
    talk = Talk()
    call = await talk.health()
    both = {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {"code": -32603, "message": "m"}}
    talk.say(both)
    assert (await fault(call))[0] is FaultKind.INTERNAL


async def test_a_request_with_the_id_of_a_call_of_ours_is_no_answer():
    talk = Talk()
    call = await talk.health()
    talk.hear(b'{"jsonrpc":"2.0","id":1,"method":"host.state.get","params":{"key":"k"}}\n')
    assert not call.done()
    assert talk.heard.requests == [(1, "host.state.get", {"key": "k"})]
    call.cancel()


async def test_answers_with_their_members_in_another_order_are_understood():
    talk = Talk()
    call = await talk.health()
    talk.hear(b' {"result": {"status":"failing"}, "jsonrpc":"2.0", "id": 1}\r\n')
    assert (await call).status == "failing"


async def test_a_result_nested_deeper_than_the_protocol_allows_does_not_fit():
    talk = Talk()
    call = await talk.send()
    talk.wire.write()
    deep = "[" * 100 + "]" * 100
    talk.hear(b'{"jsonrpc":"2.0","id":1,"result":{"raw_result":{"x":%b}}}\n' % deep.encode())
    assert await fault(call) == (FaultKind.BAD_FRAME, "unknown")


async def test_a_deadline_after_the_frame_was_written_leaves_a_send_unknown():
    talk = Talk()
    call = await talk.send()
    talk.wire.write()
    talk.wait(9.9)
    assert not call.done()
    talk.wait(0.2)
    assert await fault(call) == (FaultKind.TIMEOUT, "unknown")
    talk.wire.write()
    assert talk.wire.sent[-1] == {"jsonrpc": "2.0", "method": "$/cancel", "params": {"id": 1}}


async def test_a_deadline_before_the_frame_was_written_takes_it_back():
    talk = Talk()
    call = await talk.send()
    talk.wait(10.1)
    assert await fault(call) == (FaultKind.TIMEOUT, "not_sent")
    assert talk.wire.queue == []


async def test_a_late_success_is_handed_on_once_and_a_late_failure_is_not():
    talk = Talk()
    calls = [await talk.send("d1"), await talk.send("d2")]
    talk.wire.write()
    talk.wait(11)
    for call in calls:
        await fault(call)
    error = {"code": -32015, "message": "down"}
    talk.say({"jsonrpc": "2.0", "id": 2, "error": error})
    for _ in range(2):
        talk.say({"jsonrpc": "2.0", "id": 1, "result": {"provider_message_id": "p1"}})
    assert [(p.idempotency_key, r) for p, r in talk.heard.late] == [("d1", SendResult("p1"))]
    assert talk.peer.late_answers == 3


async def test_what_was_given_up_is_forgotten_after_a_minute_or_when_there_is_too_much():
    talk = Talk()
    calls = [await talk.send(f"d{number}") for number in range(5)]
    talk.wire.write()
    talk.wait(11)
    for call in calls:
        await fault(call)
    talk.say({"jsonrpc": "2.0", "id": 1, "result": {}})
    assert talk.heard.late == [], "only three are kept"
    talk.wait(61)
    talk.say({"jsonrpc": "2.0", "id": 5, "result": {}})
    assert (talk.heard.late, talk.peer.late_answers) == ([], 2)


async def test_a_caller_that_leaves_cancels_the_call():
    talk = Talk()
    call = await talk.send()
    talk.wire.write()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    talk.wire.write()
    assert talk.wire.sent[-1]["method"] == "$/cancel"
    assert talk.peer.in_flight == 0


async def test_an_end_fails_written_sends_as_unknown_and_what_was_not_seen_as_not_ready():
    talk = Talk()
    written = await talk.send("d1")
    talk.wire.write()
    waiting, health = await talk.send("d2"), await talk.health()
    talk.peer.end(FaultKind.PLUGIN_CRASHED, "exit 1")
    assert await fault(written) == (FaultKind.PLUGIN_CRASHED, "unknown")
    assert await fault(waiting) == (FaultKind.NOT_READY, "not_sent")
    assert await fault(health) == (FaultKind.NOT_READY, "not_sent")
    assert await fault(await talk.send("d3")) == (FaultKind.NOT_READY, "not_sent")


async def test_a_frame_too_large_or_a_wire_too_full_is_refused_before_anything_is_sent():
    talk = Talk()
    assert await fault(await talk.send(text="x" * 4_000)) == (FaultKind.TOO_LARGE, "not_sent")
    talk.wire.has_space = False
    assert await fault(await talk.send()) == (FaultKind.BUSY, "not_sent")
    assert (talk.wire.queue, talk.peer.in_flight) == ([], 0)


async def test_an_over_long_answer_fails_its_call_at_once():
    talk = Talk()
    call = await talk.send()
    talk.wire.write()
    talk.hear(
        b'{"jsonrpc":"2.0","id":1,"result":{"provider_message_id":"' + b"x" * 9_000 + b'"}}\n'
    )
    assert await fault(call) == (FaultKind.TOO_LARGE, "unknown")


async def test_an_over_long_request_of_the_plugin_is_refused_and_fails_no_call_of_ours():
    talk = Talk()
    call = await talk.send()
    talk.hear(b'{"jsonrpc":"2.0","id":1,"method":"host.state.put","params":{"k":"' + b"x" * 9_000)
    talk.hear(b'"}}\n')
    assert not call.done()
    talk.wire.write()
    assert talk.wire.sent[-1]["error"]["code"] == -32005
    call.cancel()


async def test_a_broken_answer_fails_its_call_at_once():
    talk = Talk()
    call = await talk.health()
    talk.hear(b'{"jsonrpc":"2.0","id":1,"result":{"status":"o\n')
    assert await fault(call) == (FaultKind.BAD_FRAME, "not_sent")
    assert talk.peer.noise_lines == 1


async def test_errors_become_faults_and_their_numbers_are_clamped():
    talk = Talk()
    call = await talk.send()
    data = {"kind": "rate_limited", "retry_after_ms": 10**12, "scope": "account"}
    data |= {"outcome": "not_sent", "retryable": True, "provider_code": "c" * 500}
    talk.say({"jsonrpc": "2.0", "id": 1, "error": {"code": -32014, "message": "m", "data": data}})
    with pytest.raises(ProviderFault) as caught:
        await call
    found = caught.value.fault
    assert (found.kind, found.retry_after_s, found.scope) == (
        FaultKind.RATE_LIMITED,
        3600.0,
        "account",
    )
    assert len(found.provider_code) == 64


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": -32603, "message": "fell"}, (FaultKind.INTERNAL, "unknown")),
        ({"code": -32603, "data": {"kind": "internal"}}, (FaultKind.INTERNAL, "not_sent")),
        ({"code": -32018, "data": {"outcome": "not_sent"}}, (FaultKind.OUTCOME_UNKNOWN, "unknown")),
        ({"code": 7, "message": "?"}, (FaultKind.INTERNAL, "unknown")),
        ({"code": "x"}, (FaultKind.INTERNAL, "unknown")),
        ({"code": -32016, "data": {"outcome": "maybe"}}, (FaultKind.PROVIDER_REJECTED, "not_sent")),
        ("words", (FaultKind.INTERNAL, "unknown")),
    ],
)
async def test_careless_errors_are_read_as_far_as_they_go(error, expected):
    talk = Talk()
    call = await talk.send()
    talk.say({"jsonrpc": "2.0", "id": 1, "error": error})
    assert await fault(call) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"[1]",
        b'{"id":1}',
        b'{"jsonrpc":"1.0","id":1,"result":{}}',
        b"{" * 5_000,
        b"\xff{",
    ],
)
async def test_lines_that_are_no_frames_are_noise(line):
    talk = Talk()
    call = await talk.health()
    assert talk.hear(line + b"\n") == 1
    talk.say({"jsonrpc": "2.0", "id": 1, "result": {"status": "ok"}})
    assert (await call).status == "ok"


async def test_what_the_plugin_says_unasked_is_passed_on():
    talk = Talk()
    talk.say({"jsonrpc": "2.0", "id": "a", "method": "host.state.get", "params": {"key": "k"}})
    talk.say({"jsonrpc": "2.0", "method": "log", "params": {"message": "hi"}})
    assert talk.heard.requests == [("a", "host.state.get", {"key": "k"})]
    assert talk.heard.notes == [("log", {"message": "hi"})]


async def test_a_thousand_answered_calls_leave_nothing_behind():
    talk = Talk()
    for number in range(1_000):
        call = await talk.health()
        talk.wire.write()
        talk.say({"jsonrpc": "2.0", "id": number + 1, "result": {}})
        await call
    assert not talk.peer._pending
    assert talk.peer.in_flight == 0


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400])
async def test_a_number_beyond_all_measure_ends_its_call_like_any_other(number):
    talk = Talk()
    task = await talk.send()
    data = b'{"kind":"rate_limited","retry_after_ms":%b}' % number.encode()
    talk.hear(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32014,"message":"x","data":%b}}\n' % data)
    with pytest.raises(ProviderFault) as caught:
        await asyncio.wait_for(task, 5)
    assert caught.value.fault.retry_after_s in (0.0, 3_600.0)


async def test_an_error_nested_deeper_than_the_protocol_allows_brings_nothing_with_it():
    talk = Talk()
    task = await talk.send()
    deep = b"[" * 900 + b"]" * 900
    data = b'{"kind":"duplicate","next":{"state":{"a":%b}}}' % deep
    talk.hear(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32019,"message":"x","data":%b}}\n' % data)
    with pytest.raises(ProviderFault) as caught:
        await task
    assert caught.value.fault.kind is FaultKind.DUPLICATE
    assert caught.value.fault.next_state is None


async def test_every_line_that_answers_nothing_counts_against_who_writes_it():
    talk = Talk()
    task = await talk.send()
    log = b'{"jsonrpc":"2.0","method":"log","params":{}}\n'
    asks = b'{"jsonrpc":"2.0","id":7,"method":"host.state.get","params":{}}\n'
    late = b'{"jsonrpc":"2.0","id":99,"result":{}}\n'
    answer = b'{"jsonrpc":"2.0","id":1,"result":{}}\n'
    assert talk.hear(answer) == 0
    assert talk.hear(log + asks + late + b"noise\n") == 4
    assert talk.peer.noise_lines == 1
    await task
