"""Fakes for the plugin host: the door itself, and specs of the little bad plugins."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wunder.errors import Invalid, ProviderFault
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import PluginId
from wunder.model.runtime import PluginSpec, RuntimeReport, RuntimeState

PLUGINS = Path(__file__).parent.parent / "fixtures" / "plugins"


def little_plugin(
    root: Path, kind: str = "Good", *, write: bool = True, **changes: Any
) -> PluginSpec:
    """Write an executable that runs one class of tests/fixtures/plugins/bad.py."""
    plugin_id = changes.pop("plugin_id", kind.lower())
    home = root / f"{plugin_id}-{changes.get('version', '1.0.0')}"
    work = root / plugin_id / "work"
    if write:
        home.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        entry = home / "plugin"
        entry.write_text(
            f"#!{sys.executable} -SB\nimport sys\nsys.path.insert(0, {str(PLUGINS)!r})\n"
            f"import bad\nbad.{kind}().serve()\n"
        )
        entry.chmod(0o755)
    settled: dict[str, Any] = {
        "plugin_id": PluginId(plugin_id), "version": "1.0.0", "package_sha256": "0" * 64,
        "root_dir": str(home), "work_dir": str(work), "data_dir": "", "entry": "plugin",
        "is_python": False, "capabilities": {"webhook": True, "outbound": True},
        "frame_bytes": 1_048_576, "message_bytes": 524_288,
        "parse_inflight": 16, "send_inflight": 64,
    }  # fmt: skip
    return PluginSpec(**(settled | changes))


class FakePluginHost:
    """PluginHost whose plugins are functions: `answers[method](params, account_uid)`.

    `refuse_to_start` is what `preflight` says; `crash` and `fail_next` change the world.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[object, str], object]] = {}
        self.specs: dict[PluginId, PluginSpec] = {}
        self.started: list[PluginSpec] = []
        self.stopped: list[PluginId] = []
        self.preflighted: list[PluginSpec] = []
        self.calls: list[tuple[PluginId, str, object, str]] = []
        self.refuse_to_start = ""
        self.lines: dict[PluginId, list[str]] = {}
        self._states: dict[PluginId, RuntimeState] = {}
        self._next_fault: Fault | None = None

    def fail_next(self, kind: FaultKind, **fields) -> None:
        """Let the next call fail."""
        self._next_fault = Fault(kind, **fields)

    def crash(self, plugin_id: PluginId) -> None:
        """Let a plugin be down until it is started again."""
        self._states[plugin_id] = RuntimeState.BACKOFF

    async def call(self, plugin_id, method, params, result, account_uid):
        if self._states.get(plugin_id) is not RuntimeState.READY:
            raise ProviderFault(Fault(FaultKind.NOT_READY, is_retryable=True))
        self.calls.append((plugin_id, method, params, account_uid))
        if self._next_fault is not None:
            fault, self._next_fault = self._next_fault, None
            raise ProviderFault(fault)
        answer = self.answers.get(method)
        if answer is None:
            if method == "plugin.health":
                return result()
            raise ProviderFault(Fault(FaultKind.METHOD_NOT_FOUND))
        return answer(params, account_uid)

    def send_room(self, plugin_id: PluginId, account_uid: str) -> int:
        return sys.maxsize

    async def start(self, spec: PluginSpec) -> None:
        self.specs[spec.plugin_id] = spec
        self.started.append(spec)
        self._states[spec.plugin_id] = RuntimeState.READY

    async def stop(self, plugin_id: PluginId) -> None:
        if plugin_id in self.specs:
            self.stopped.append(plugin_id)
            self._states[plugin_id] = RuntimeState.STOPPED

    async def preflight(self, spec: PluginSpec) -> None:
        self.preflighted.append(spec)
        if self.refuse_to_start:
            raise Invalid(self.refuse_to_start)

    def report(self, plugin_id: PluginId) -> RuntimeReport | None:
        spec = self.specs.get(plugin_id)
        if spec is None:
            return None
        return RuntimeReport(
            plugin_id=plugin_id, version=spec.version, state=self._states[plugin_id], health="ok",
            pid=1, generation=1, started_at=None, ready_at=None, retry_at=None, restarts=0,
            crashes=0, in_flight=0, memory_bytes=None, breakers={}, methods={}, last_exit="",
            last_error="", stdout_noise=0, late_answers=0,
        )  # fmt: skip

    def stderr(self, plugin_id: PluginId) -> list[str]:
        return list(self.lines.get(plugin_id, []))
