"""What is running: the state of a plugin's process as operators see it (row N2b, runtime)."""

from enum import StrEnum
from typing import Any

import msgspec

from wunder.model.ids import At, PluginId


class RuntimeState(StrEnum):
    """Where a plugin's process is in its life."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    BACKOFF = "backoff"  # crashed; starts again at `retry_at`
    BROKEN = "broken"  # a restart cannot cure it, or crashed too often
    STOPPING = "stopping"


class MethodFigures(msgspec.Struct, frozen=True):
    """Calls of one method since the process started. Milliseconds."""

    calls: int
    errors: dict[str, int]  # by kind
    p50_ms: float
    p95_ms: float
    p99_ms: float


class RuntimeReport(msgspec.Struct, frozen=True):
    """One plugin on one node."""

    plugin_id: PluginId
    version: str
    state: RuntimeState
    health: str
    pid: int | None
    generation: int
    started_at: At | None
    ready_at: At | None
    retry_at: At | None
    restarts: int
    crashes: int
    in_flight: int
    memory_bytes: int | None
    breakers: dict[str, str]  # account_id -> closed, open, half_open
    methods: dict[str, MethodFigures]
    last_exit: str  # "exit 1", "signal 9", "" while it never ended
    last_error: str
    stdout_noise: int
    late_answers: int
    sandbox_level: str = "L1"  # not enforced, until the sandbox is built
    node_id: str = "local"


class PluginSpec(msgspec.Struct, frozen=True):
    """Everything the runtime needs to start one release; built by the plugins room."""

    plugin_id: PluginId
    version: str
    package_sha256: str
    root_dir: str  # absolute: the read-only installed package
    work_dir: str  # absolute: working directory of the process
    data_dir: str  # absolute: its own data, "" where filesystem is none
    entry: str  # path inside root_dir: an executable, or a folder for a Python plugin
    is_python: bool
    capabilities: dict[str, bool]
    frame_bytes: int
    message_bytes: int
    parse_inflight: int
    send_inflight: int
    generation: int = 0
    settings: dict[str, Any] = {}
    fixed_clock_ms: int | None = None  # the plugin's clock stands still: `wunder plugin call --now`
