"""`wunder plugin call TARGET`: read calls, answer each in order, say how it ended."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from wunder.cli.call.builtin import PREFIX, open_builtin
from wunder.cli.call.lines import Call, answer_line, read_call
from wunder.cli.call.package_target import open_package_target
from wunder.cli.call.params import Completion, completed_result
from wunder.cli.call.target import CallFailed, Target, TargetDied
from wunder.cli.failure import CommandFailed
from wunder.cli.plain_text import plain
from wunder.observe.clock import wall_ms
from wunder_wire.errors import CODE_OF_KIND, ErrorData, ErrorObject

#: The gateway's own business: whoever opened the target has shaken hands, and ends it at the end.
_HOSTS_OWN = frozenset({"plugin.handshake", "plugin.shutdown"})


class Lines(Protocol):
    """Where calls come from."""

    async def next(self) -> bytes | None:
        """Return the next line, None at the end."""
        ...


def run_plugin_call(target: str, now_s: float | None, lines: Lines) -> None:
    """Call a channel line by line until stdin ends.

    Args:
        target: `builtin:<id>`, a plugin's folder, or a package.
        now_s: Unix seconds at which the channel's clock stands still, None lets it run.
        lines: The calls.

    Raises: CommandFailed: exit 1 when the target died, 2 for a line that is no call.
    """
    fixed_ms = None if now_s is None else round(now_s * 1000)
    asyncio.run(_call_all(open_target(target, fixed_ms), fixed_ms, lines, _write))


def open_target(target: str, fixed_ms: int | None) -> AbstractAsyncContextManager[Target]:
    """Return what opens a target: in process, or as a plugin's process."""
    if target.startswith(PREFIX):
        return open_builtin(target.removeprefix(PREFIX), fixed_ms)
    return open_package_target(Path(target), fixed_ms)


async def _call_all(
    opening: AbstractAsyncContextManager[Target],
    fixed_ms: int | None,
    lines: Lines,
    write: Callable[[bytes], None],
) -> None:
    line_no = 0
    async with opening as target:
        completion = Completion(target.channel, target.account_schema)
        while (line := await lines.next()) is not None:
            line_no += 1
            if not line.strip():
                continue
            call = read_call(line, line_no)
            try:
                write(await _answered(target, call, completion, fixed_ms))
            except TargetDied as death:
                write(answer_line(call.id, "error", death.as_json()))
                raise CommandFailed(
                    f"the plugin died: {plain(death)}", where=f"line {line_no} of stdin"
                ) from death


async def _answered(
    target: Target, call: Call, completion: Completion, fixed_ms: int | None
) -> bytes:
    if call.method in _HOSTS_OWN:
        words = f"{call.method} is the host's own: this command has done it, or does it at the end"
        error = ErrorObject(CODE_OF_KIND["bad_request"], words, ErrorData("bad_request"))
        return answer_line(call.id, "error", CallFailed(error).as_json())
    now_ms = wall_ms() if fixed_ms is None else fixed_ms
    try:
        result = await target.call(call.method, completion.params(call.params, now_ms))
    except TargetDied:
        raise
    except CallFailed as failure:
        return answer_line(call.id, "error", failure.as_json())
    return answer_line(call.id, "result", completed_result(call.method, result))


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
