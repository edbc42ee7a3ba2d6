"""What the handshake promises and refuses."""

import json

import pytest

from wunder_sdk.plugin_process import PluginError, PluginProcess

pytestmark = pytest.mark.process


def refusal_of(started, **changes):
    with pytest.raises(PluginError) as caught:
        started.handshake(**changes)
    return caught.value.error


def test_handshake_returns_cookie_protocol_and_capabilities(started):
    result = started.handshake(protocols=[1, 2, 99])

    assert result["protocol"] == 1
    assert result["cookie"] == "test"
    assert result["capabilities"] == {"webhook": True, "outbound": True}
    assert result["plugin"]["plugin_id"] == "test"


@pytest.mark.parametrize("protocols", [[], [2], [0, 7]])
def test_no_common_protocol_is_refused_for_good(started, protocols):
    error = refusal_of(started, protocols=protocols)

    assert (error.code, error.data.kind, error.data.retryable) == (
        -32004,
        "protocol_unsupported",
        False,
    )


def test_wrong_cookie_is_refused(started):
    assert refusal_of(started, cookie="another").data.kind == "forbidden"


def test_faulty_parameters_are_named_by_pointer(started):
    error = refusal_of(started, limits={"max_frame_bytes": "big", "max_message_bytes": 1})

    assert error.data.kind == "bad_params"
    assert "/limits/max_frame_bytes" in error.message
    assert "big" not in error.message


def test_unknown_fields_of_a_later_host_are_ignored(started):
    assert started.handshake(moon_phase="full", features=["x"])["protocol"] == 1


def test_calls_before_the_handshake_are_refused(started):
    with pytest.raises(PluginError) as caught:
        started.call("plugin.health", {})

    assert caught.value.error.kind == "bad_request"


def test_a_second_handshake_is_refused(started):
    started.handshake()

    assert refusal_of(started).kind == "bad_request"


def test_id_and_version_come_from_the_package(app):
    manifest = {"plugin_id": "acme.lab", "version": "1.2.3"}
    (app.parent / "plugin.json").write_text(json.dumps(manifest))

    with PluginProcess.python(app) as plugin:
        identity = plugin.handshake()["plugin"]

    assert (identity["plugin_id"], identity["version"]) == ("acme.lab", "1.2.3")


def test_fixed_clock_stands_still(started, params_for):
    started.handshake(clock={"fixed_ms": 12345})

    assert started.call("channel.parse_inbound", params_for(do="clock"))["ignored"] == "12345"


def test_limits_of_the_host_hold_in_the_plugin(started, params_for):
    limits = {"max_frame_bytes": 1_048_576, "max_message_bytes": 524_288, "parse_inflight": 1}
    started.handshake(limits=limits)

    started.request("channel.parse_inbound", params_for(do="wait"))
    with pytest.raises(PluginError) as caught:
        started.call("channel.parse_inbound", params_for(do="nothing"))

    assert caught.value.error.kind == "busy"
    assert caught.value.error.data.retry_after_ms == 250
