"""A plugin's folder or package, run as the gateway would run it: packed, unpacked, supervised."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from wunder import __version__
from wunder.cli.call.memory import MemoryBlobs, MemoryHistory, NoEvents
from wunder.cli.call.target import CallFailed, TargetDied
from wunder.cli.failure import BAD_USAGE, CommandFailed
from wunder.cli.package_source import opened_package, refused_package
from wunder.cli.plain_text import plain
from wunder.errors import ProviderFault, WunderError
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import AccountUid, At
from wunder.model.plugin import Release
from wunder.model.runtime import PluginSpec, RuntimeState
from wunder.observe.clock import SystemClock, wall_ms
from wunder.plugins.acceptance import Accepted, accept
from wunder.plugins.folders import PluginFolders
from wunder.plugins.host_answers import HostAnswers
from wunder.plugins.launch import spec_of, this_host
from wunder.plugins.permissions import permission_digest
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.release import executables, fit_of
from wunder.runtime.host import HostDoors, ProcessHost
from wunder.runtime.policy import BreakerPolicy, LifePolicy, RuntimePolicy
from wunder_wire.errors import CODE_OF_KIND, ErrorData, ErrorObject
from wunder_wire.json_text import DecodeError
from wunder_wire.methods import HOST_TO_PLUGIN
from wunder_wire.shapes import from_json, to_json

_NEVER = 1_000_000_000
#: One life, no breaker: an author wants to see each answer, and the first death.
_POLICY = RuntimePolicy(
    life=LifePolicy(crashes_allowed=0, failed_starts_allowed=1, probe_every_s=_NEVER),
    breaker=BreakerPolicy(failures_in_row=_NEVER, window_calls=_NEVER),
)
_DEATHS = frozenset({FaultKind.PLUGIN_CRASHED, FaultKind.WRITE_STALLED, FaultKind.NOT_READY})
_OVER = frozenset({RuntimeState.BROKEN, RuntimeState.BACKOFF, RuntimeState.STOPPED})
_READY_S = 30.0
_NO_ACCOUNT = ""


class PackageTarget:
    """A Target over the real supervisor."""

    def __init__(self, host: ProcessHost, spec: PluginSpec, schema: dict[str, Any] | None) -> None:
        self.channel = str(spec.plugin_id)
        self.account_schema = schema
        self._host = host
        self._spec = spec

    async def call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Call a method over the wire. Raises: CallFailed, TargetDied."""
        if method not in HOST_TO_PLUGIN:
            raise CallFailed(_error(Fault(FaultKind.METHOD_NOT_FOUND, "no such method here")))
        shape, result_shape = HOST_TO_PLUGIN[method]
        try:
            wanted: Any = from_json(shape, params)
            account = getattr(wanted, "account", None)
            account_id = account.account_id if account else _NO_ACCOUNT
            result: object = await self._host.call(
                self._spec.plugin_id, method, wanted, result_shape, account_id
            )
        except DecodeError as wrong:
            raise CallFailed(_error(Fault(FaultKind.BAD_PARAMS, str(wrong)))) from wrong
        except ProviderFault as failure:
            is_death = failure.fault.kind in _DEATHS
            raise (TargetDied if is_death else CallFailed)(_error(failure.fault)) from failure
        answer: dict[str, Any] = to_json(result)
        return answer


@asynccontextmanager
async def open_package_target(path: Path, fixed_ms: int | None) -> AsyncIterator[PackageTarget]:
    """Start a plugin for as long as the block runs. Raises: CommandFailed."""
    with tempfile.TemporaryDirectory(prefix="wunder-call-") as folder:
        spec, schema = _unpacked(path, Path(folder))
        spec = msgspec.structs.replace(spec, fixed_clock_ms=fixed_ms)
        changed = asyncio.Event()
        host = ProcessHost(_POLICY, _doors(changed))
        ended: CommandFailed | None = None
        async with asyncio.TaskGroup() as tasks:
            supervising = tasks.create_task(host.run(), name="supervisor")
            try:
                await host.start(spec)
                await _until_ready(host, spec, changed)
                yield PackageTarget(host, spec, schema)
            except CommandFailed as failure:
                ended = failure  # raised below: in here it would become a group of one
            finally:
                await host.stop(spec.plugin_id)
                _show_stderr(host, spec)
                supervising.cancel()
        if ended is not None:
            raise ended


def _doors(changed: asyncio.Event) -> HostDoors:
    async def on_late_success(plugin_id: str, params: object, result: object) -> None:
        """The line was answered already."""

    history = MemoryHistory()
    return HostDoors(
        clock=SystemClock(),
        events=NoEvents(),
        history=history,
        boot_path=str(files("wunder_sdk") / "boot.py"),
        answer=HostAnswers(
            history, MemoryBlobs(), lambda plugin_id, label: AccountUid(label)
        ).answer,
        on_late_success=on_late_success,
        on_change=lambda plugin_id: changed.set(),
        gateway_version=__version__,
        instance_id="wunder-plugin-call",
    )


async def _until_ready(host: ProcessHost, spec: PluginSpec, changed: asyncio.Event) -> None:
    """Wait for the handshake. Raises: CommandFailed with what the plugin said before it ended."""
    try:
        async with asyncio.timeout(_READY_S):
            while True:
                changed.clear()
                report = host.report(spec.plugin_id)
                if report is not None and report.state is RuntimeState.READY:
                    return
                if report is not None and report.state in _OVER:
                    raise CommandFailed(
                        f"the plugin did not start: {report.last_error or report.last_exit}"
                    )
                await _soon(changed)
    except TimeoutError:
        raise CommandFailed(f"the plugin was not ready within {_READY_S:g} s") from None


async def _soon(changed: asyncio.Event) -> None:
    """Wait for a change; look again soon, because a start that fails changes nothing to serve."""
    try:
        async with asyncio.timeout(0.05):
            await changed.wait()
    except TimeoutError:
        return


def _unpacked(source: Path, data_dir: Path) -> tuple[PluginSpec, dict[str, Any] | None]:
    """Pack and unpack a plugin as an install does. Raises: CommandFailed, exit 2."""
    try:
        with opened_package(str(source)) as found:
            return _installed(found.path, data_dir)
    except WunderError as refused:
        raise _bad_target(refused_package(refused, str(source))) from refused
    except CommandFailed as failure:
        raise _bad_target(failure) from failure


def _bad_target(failure: CommandFailed) -> CommandFailed:
    """A package that no gateway takes is bad input; nothing has died."""
    failure.exit_code = BAD_USAGE
    return failure


def _installed(zip_path: Path, data_dir: Path) -> tuple[PluginSpec, dict[str, Any] | None]:
    """Unpack a package and say how to start it. Raises: CommandFailed, PackageRefused."""
    policy = PluginPolicy(data_dir=data_dir)
    folders = PluginFolders(data_dir)
    folders.prepare()
    accepted = accept(zip_path, None, policy, folders.staging)
    with accepted.package:
        release = _placed(accepted, folders)
    fit = fit_of(accepted.manifest, this_host())
    if not fit.can_start:
        raise CommandFailed(f"the plugin cannot start here: {fit.detail}", where=str(zip_path))
    return spec_of(release, folders, policy, this_host()), accepted.schema


def _placed(accepted: Accepted, folders: PluginFolders) -> Release:
    manifest, package = accepted.manifest, accepted.package
    path = folders.install_path(manifest.plugin_id, manifest.version, package.sha256)
    runnable = executables(manifest, package.names)
    return Release(
        plugin_id=manifest.plugin_id,  # type: ignore[arg-type]  # the manifest's own word
        version=manifest.version,
        package_sha256=package.sha256,
        manifest=accepted.document,
        install_path=path,
        files=folders.place(package, path, runnable),
        size_bytes=package.size_bytes,
        permission_digest=permission_digest(manifest),
        created_at=At(wall_ms()),
    )


def _error(fault: Fault) -> ErrorObject:
    """Return a fault as the error object that the plugin sent, or that stands for its silence."""
    kind = "deadline" if fault.kind is FaultKind.TIMEOUT else fault.kind.value
    wait_ms = None if fault.retry_after_s is None else round(fault.retry_after_s * 1000)
    data = ErrorData(
        kind=kind,
        retryable=fault.is_retryable,
        outcome=fault.outcome,
        retry_after_ms=wait_ms,
        scope=fault.scope,
        provider_code=fault.provider_code or None,
        http_status=fault.http_status,
    )
    return ErrorObject(CODE_OF_KIND.get(kind, CODE_OF_KIND["internal"]), fault.message, data)


def _show_stderr(host: ProcessHost, spec: PluginSpec) -> None:
    for line in host.stderr(spec.plugin_id):
        sys.stderr.write(f"{spec.plugin_id}: {plain(line)}\n")
