"""`wunder` with a stage manager: its wall clock can be set, and it stops itself where it is told to.

Run: `python staged_gateway.py STAGE serve`. STAGE is a folder: the first 8 bytes of `clock` are added to
the wall clock as milliseconds; while `stop_before_frame` is there, the next delivery that is marked
removes it and stops the process (SIGSTOP) before its frame is written. Everything else is the gateway.
"""

import mmap
import os
import signal
import struct
import sys
from pathlib import Path

from wunder.cli.main import main
from wunder.model.delivery import ClaimedDelivery, Settlement
from wunder.model.fault import Fault
from wunder.observe import clock
from wunder.outbound.attempt import Attempt

OFFSET = struct.Struct("<q")
CLOCK, STOP_BEFORE_FRAME = "clock", "stop_before_frame"


def prepare(stage: Path) -> None:
    """Make a stage whose clock is right."""
    stage.mkdir(exist_ok=True)
    set_clock(stage, 0)


def set_clock(stage: Path, offset_s: float) -> None:
    """Put the wall clock of a running gateway forward or back; its monotonic clock goes on."""
    path = stage / CLOCK
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(fd, OFFSET.pack(int(offset_s * 1000)), 0)
    finally:
        os.close(fd)


def _stage(stage: Path) -> None:
    with (stage / CLOCK).open("rb") as file:
        offset = mmap.mmap(file.fileno(), OFFSET.size, access=mmap.ACCESS_READ)
    real_ms, make = clock.wall_ms, Attempt.make
    stop = stage / STOP_BEFORE_FRAME

    def wall_ms() -> int:
        return real_ms() + int(OFFSET.unpack_from(offset)[0])

    async def staged(self: Attempt, delivery: ClaimedDelivery) -> tuple[Settlement, Fault | None]:
        if stop.exists():
            stop.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        return await make(self, delivery)

    clock.wall_ms = wall_ms
    Attempt.make = staged  # type: ignore[method-assign]  # the only place between mark and frame


if __name__ == "__main__":
    _stage(Path(sys.argv.pop(1)))
    sys.exit(main())
