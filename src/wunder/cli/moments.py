"""Times as people type them: `2h` ago, a date, a date with a time."""

import re
from datetime import UTC, datetime

from wunder.cli.failure import bad_usage
from wunder.observe.clock import wall_ms

HELP = "2h, 3d, 2026-11-23 or 2026-11-23T10:00 (UTC)."
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def moment(written: str) -> int | None:
    """Return Unix milliseconds, None for "". Raises: CommandFailed for what is no time."""
    if not written:
        return None
    ago = _AGO.fullmatch(written.strip())
    if ago is not None:
        return wall_ms() - int(ago[1]) * _UNIT_MS[ago[2]]
    try:
        found = datetime.fromisoformat(written.strip())
    except ValueError:
        raise bad_usage(f"{written} is no time", f"write {HELP}") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
