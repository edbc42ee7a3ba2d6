"""Handshake, health and shutdown: the frames of a plugin's life."""

from dataclasses import field
from typing import Literal

from wunder_wire.record import dataclass


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """Who the gateway is."""

    name: str
    version: str
    instance_id: str


@dataclass(frozen=True, slots=True)
class PluginIdentity:
    """Which release the host believes it started."""

    plugin_id: str
    version: str
    package_sha256: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class HandshakeLimits:
    """Sizes in bytes and calls in flight."""

    max_frame_bytes: int
    max_message_bytes: int
    parse_inflight: int = 16
    send_inflight: int = 64


@dataclass(frozen=True, slots=True)
class HandshakeTimeouts:
    """Milliseconds each call may take."""

    parse_inbound: int = 2_000
    send_outbound: int = 10_000
    health: int = 3_000
    shutdown_grace: int = 5_000


@dataclass(frozen=True, slots=True)
class HandshakeClock:
    """`fixed_ms` is set by `wunder plugin call --now` and by tests: the SDK's clock then stands still."""

    fixed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class HandshakeParams:
    """`plugin.handshake`, host to plugin: the first frame."""

    protocols: tuple[int, ...]
    cookie: str
    host: HostIdentity
    plugin: PluginIdentity
    limits: HandshakeLimits
    timeouts_ms: HandshakeTimeouts
    data_dir: str = ""
    locale: str = "zh-CN"
    clock: HandshakeClock = HandshakeClock()


@dataclass(frozen=True, slots=True)
class SdkIdentity:
    """What the plugin is written with."""

    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class OfferedLimits:
    """What the plugin lowers; absent means the host's number."""

    parse_inflight: int | None = None
    send_inflight: int | None = None


@dataclass(frozen=True, slots=True)
class HandshakeResult:
    """`plugin.handshake`, plugin to host."""

    protocol: int
    cookie: str
    plugin: PluginIdentity
    sdk: SdkIdentity = SdkIdentity()
    capabilities: dict[str, bool] = field(default_factory=dict)
    limits: OfferedLimits = OfferedLimits()


@dataclass(frozen=True, slots=True)
class Empty:
    """No parameters, or nothing to say."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing a plugin looked at."""

    name: str
    status: Literal["ok", "degraded", "failing"]
    account_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class HealthResult:
    """`plugin.health`. `failing` means the platform is down; the host does not restart for it."""

    status: Literal["ok", "degraded", "failing"] = "ok"
    checks: tuple[HealthCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class ShutdownParams:
    """`plugin.shutdown`."""

    reason: str
    grace_ms: int


@dataclass(frozen=True, slots=True)
class ShutdownResult:
    """`plugin.shutdown`: answered after running calls ended; the process then exits 0."""

    drained: bool = True
