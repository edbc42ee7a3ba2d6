"""The settings of the plugins room, with their defaults."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from wunder_wire.frame import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES

MIB = 1_048_576

SignaturePolicy = Literal["off", "warn", "enforce"]


@dataclass(frozen=True, slots=True)
class PackageLimits:
    """What a package may be at most (docs/operate/plugins.md)."""

    entries: int = 2_000
    packed_bytes: int = 64 * MIB
    unpacked_bytes: int = 256 * MIB
    ratio: int = 100
    #: Entries up to this size may compress better than `ratio`: a small table of zeros is no bomb.
    ratio_from_bytes: int = MIB
    manifest_bytes: int = 262_144
    schema_bytes: int = 262_144


@dataclass(frozen=True, slots=True)
class PluginPolicy:
    """How plugins are installed and started.

    Args:
        data_dir: The gateway's data directory; everything lies in `channel_plugins/` below it.
        signature: `off` can be set in the config file only.
        builtin_ids: Every provider id a built-in has or can serve: no plugin may look like one.
        frame_bytes: The largest line a plugin's process is given, unless its manifest raises it.
    """

    data_dir: Path
    signature: SignaturePolicy = "warn"
    builtin_ids: frozenset[str] = frozenset()
    limits: PackageLimits = field(default_factory=PackageLimits)
    frame_bytes: int = MAX_FRAME_BYTES
    message_bytes: int = MAX_MESSAGE_BYTES
    parse_inflight: int = 16
    send_inflight: int = 64
    parallel_starts: int = 4
    install_wait_s: float = 60.0
    retry_errors_every_s: float = 300.0
