"""The first frame and its answer: what host and plugin must agree on before any call."""

import msgspec

from wunder.model.runtime import PluginSpec
from wunder.runtime.policy import RuntimePolicy
from wunder_wire.frame import PROTOCOL_VERSIONS
from wunder_wire.methods import (
    HandshakeClock,
    HandshakeLimits,
    HandshakeParams,
    HandshakeResult,
    HandshakeTimeouts,
    HostIdentity,
    PluginIdentity,
)


class StartFailed(Exception):
    """A process did not become ready. `is_curable`: another start may end differently."""

    def __init__(self, cause: str, detail: str, *, is_curable: bool = True) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail
        self.is_curable = is_curable


class Agreed(msgspec.Struct, frozen=True):
    """What holds between the two from now on."""

    parse_inflight: int
    send_inflight: int
    sdk: str


def handshake_params(
    spec: PluginSpec, policy: RuntimePolicy, host: HostIdentity, cookie: str, generation: int
) -> HandshakeParams:
    """Return what the host says of itself and expects."""
    calls, life = policy.calls, policy.life
    return HandshakeParams(
        protocols=PROTOCOL_VERSIONS,
        cookie=cookie,
        host=host,
        plugin=PluginIdentity(spec.plugin_id, spec.version, spec.package_sha256, generation),
        limits=HandshakeLimits(
            spec.frame_bytes,
            spec.message_bytes,
            min(policy.pools.intake, spec.parse_inflight),
            min(policy.pools.sends, spec.send_inflight),
        ),
        timeouts_ms=HandshakeTimeouts(
            parse_inbound=round(calls.parse_s * 1000),
            send_outbound=round(calls.send_s * 1000),
            health=round(calls.health_s * 1000),
            shutdown_grace=round(life.shutdown_s * 1000),
        ),
        data_dir=spec.data_dir,
        locale=policy.locale,
        clock=HandshakeClock(spec.fixed_clock_ms),
    )


def agree(spec: PluginSpec, asked: HandshakeParams, answered: HandshakeResult) -> Agreed:
    """Check an answer against what was asked and against the manifest.

    Raises:
        StartFailed: It differs where it must not; no restart can cure that.
    """
    if answered.protocol not in asked.protocols:
        raise _mismatch("protocol_unsupported", f"it speaks protocol {answered.protocol}")
    if answered.cookie != asked.cookie:
        raise _mismatch("wrong_cookie", "it does not repeat the cookie it was started with")
    identity = answered.plugin
    if identity.plugin_id != spec.plugin_id:
        raise _mismatch("wrong_id", f"it says it is {identity.plugin_id[:80]}")
    if identity.version != spec.version:
        raise _mismatch("wrong_version", f"it says it is version {identity.version[:80]}")
    claimed = {name for name, has in answered.capabilities.items() if has}
    declared = {name for name, has in spec.capabilities.items() if has}
    if extra := sorted(claimed - declared):
        words = ", ".join(extra)[:200]
        raise _mismatch("capability_not_declared", f"its manifest does not declare {words}")
    return Agreed(
        _lowered(asked.limits.parse_inflight, answered.limits.parse_inflight),
        _lowered(asked.limits.send_inflight, answered.limits.send_inflight),
        f"{answered.sdk.name} {answered.sdk.version}".strip()[:80],
    )


def _lowered(ours: int, theirs: int | None) -> int:
    return ours if theirs is None else max(1, min(ours, theirs))


def _mismatch(cause: str, detail: str) -> StartFailed:
    return StartFailed(cause, detail, is_curable=False)
