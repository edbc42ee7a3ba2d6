"""Calls, noise, cancel, pools and long lines, against a real process."""

import pytest

from wunder_sdk.plugin_process import PluginError
from wunder_wire import codec
from wunder_wire.methods import CancelParams

pytestmark = pytest.mark.process


def error_of(plugin, method, params):
    with pytest.raises(PluginError) as caught:
        plugin.call(method, params)
    return caught.value.error


def test_unknown_methods_are_not_found(plugin):
    assert error_of(plugin, "channel.dance", {}).kind == "method_not_found"


def test_methods_the_channel_does_not_override_are_not_found(plugin, sending):
    assert error_of(plugin, "channel.edit_outbound", {}).kind == "method_not_found"


def test_unknown_fields_are_ignored(plugin, params_for):
    params = {**params_for(do="nothing"), "weather": {"sunny": True}}

    assert plugin.call("channel.parse_inbound", params) == {"ignored": "nothing"}


def test_wrong_parameters_name_the_pointer_and_not_the_value(plugin, params_for):
    params = params_for(do="nothing")
    params["account"]["rev"] = "my-secret"

    error = error_of(plugin, "channel.parse_inbound", params)

    assert (error.kind, error.message) == (
        "bad_params",
        "/account/rev: expected integer, got string",
    )


def test_whatever_a_plugin_prints_lands_in_its_log(plugin, order):
    assert order("say") == "said"
    assert order("nothing") == "nothing"

    for noise in ("noise while importing", "print noise", "raw noise", "child noise"):
        assert noise in plugin.log


def test_a_line_that_is_no_frame_is_answered_and_the_stream_goes_on(plugin, order):
    plugin.write(b"hello?\n[1,2]\n" + b"[" * 100_000 + b"\n")

    kinds = [plugin.read().error.kind for _ in range(3)]

    assert kinds == ["bad_frame"] * 3
    assert order("nothing") == "nothing"


def test_children_do_not_inherit_the_wire(order):
    assert order("list_fds") == "[0, 1, 2, 3]"  # 3 is the listing itself


def test_cancel_ends_the_call_and_says_the_outcome(plugin, sending):
    frame_id = plugin.request("channel.send_outbound", sending("wait"))
    plugin.call("plugin.health", {})
    plugin.write(codec.notification_line("$/cancel", CancelParams(frame_id)))

    error = plugin.answer_to(frame_id).error

    assert (error.kind, error.data.outcome) == ("cancelled", "unknown")


def test_cancel_right_behind_a_call_certainly_sent_nothing(plugin, sending, order):
    call = codec.request_line(50, "channel.send_outbound", sending("wait"))
    plugin.write(call + codec.notification_line("$/cancel", CancelParams(50)))

    error = plugin.answer_to(50).error

    assert (error.kind, error.data.outcome) == ("cancelled", "not_sent")
    assert order("nothing") == "nothing"


def test_a_call_that_finishes_despite_cancel_is_answered(plugin, params_for):
    frame_id = plugin.request("channel.parse_inbound", params_for(do="ignore_cancel"))
    plugin.call("plugin.health", {})
    plugin.write(codec.notification_line("$/cancel", CancelParams(frame_id)))

    assert plugin.answer_to(frame_id).result == {"ignored": "finished anyway"}


def test_cancel_of_an_unknown_call_is_no_breach(plugin, order):
    plugin.write(codec.notification_line("$/cancel", CancelParams(999)))

    assert order("nothing") == "nothing"


def test_a_full_pool_is_busy_and_health_still_answers(plugin, params_for):
    for _ in range(16):
        plugin.request("channel.parse_inbound", params_for(do="wait"))

    assert error_of(plugin, "channel.parse_inbound", params_for(do="nothing")).kind == "busy"
    assert plugin.call("plugin.health", {}) == {"status": "ok"}


def test_a_full_parse_pool_leaves_sends_alone(plugin, params_for, sending):
    for _ in range(16):
        plugin.request("channel.parse_inbound", params_for(do="wait"))

    assert plugin.call("channel.send_outbound", sending("x")) == {"provider_message_id": "k"}


@pytest.mark.parametrize(
    ("text", "kind", "retryable", "outcome", "scope"),
    [
        ("throttle", "rate_limited", True, "not_sent", "peer"),
        ("refuse", "provider_rejected", False, "not_sent", "message"),
        ("bug", "internal", False, "unknown", None),
    ],
)
def test_exceptions_become_honest_errors(plugin, sending, text, kind, retryable, outcome, scope):
    data = error_of(plugin, "channel.send_outbound", sending(text)).data

    assert (data.kind, data.retryable, data.outcome, data.scope) == (
        kind,
        retryable,
        outcome,
        scope,
    )


def test_a_bug_leaves_its_traceback_in_the_log_and_no_text_on_the_wire(plugin, sending):
    error = error_of(plugin, "channel.send_outbound", sending("bug"))

    assert error.message == "KeyError in channel.send_outbound"
    assert "oops" in plugin.log


def test_an_overlong_line_is_answered_when_its_id_shows(plugin, order):
    head = b'{"jsonrpc":"2.0","id":77,"method":"channel.parse_inbound","params":{"x":"'
    for _ in range(30):
        plugin.write(head if not _ else b"y" * 100_000)
    plugin.write(b'"}}\n')

    answer = plugin.answer_to(77)

    assert answer.error.kind == "too_large"
    assert order("nothing") == "nothing"


def test_a_result_over_the_frame_limit_is_too_large(plugin, params_for):
    error = error_of(plugin, "channel.parse_inbound", params_for(do="grow", size=1_100_000))

    assert error.kind == "too_large"


def test_half_a_character_becomes_a_replacement(order):
    assert order("surrogate") == "cut \ufffd here"


def test_state_goes_through_the_host_with_its_revision(plugin, params_for):
    frame_id = plugin.request("channel.parse_inbound", params_for(do="count_state"))

    get = plugin.read()
    assert (get.method, get.params) == ("host.state.get", {"key": "count", "account_id": "a"})
    plugin.write(b'{"jsonrpc":"2.0","id":%d,"result":{"value":4,"rev":7}}\n' % get.id)
    put = plugin.read()
    assert put.params == {"key": "count", "value": 5, "account_id": "a", "rev": 7}
    plugin.write(b'{"jsonrpc":"2.0","id":%d,"result":{"rev":8}}\n' % put.id)

    assert plugin.answer_to(frame_id).result == {"ignored": "4"}


def test_an_error_of_the_host_reaches_the_channel(plugin, params_for):
    frame_id = plugin.request("channel.parse_inbound", params_for(do="count_state"))
    get = plugin.read()
    plugin.write(b'{"jsonrpc":"2.0","id":%d,"error":{"code":-32022,"message":"full"}}\n' % get.id)

    assert plugin.answer_to(frame_id).error.kind == "quota"


def test_late_and_unknown_answers_are_no_breach(plugin, order):
    plugin.write(b'{"jsonrpc":"2.0","id":4242,"result":{}}\n')

    assert order("nothing") == "nothing"


def test_many_frames_in_one_write_are_all_answered(plugin, params_for):
    lines = [codec.request_line(1000 + n, "channel.send_outbound", {}) for n in range(300)]
    plugin.write(b"".join(lines))

    answers = [plugin.read() for _ in range(300)]

    assert {answer.id for answer in answers} == set(range(1000, 1300))
    assert {answer.error.kind for answer in answers} <= {"bad_params", "busy"}
