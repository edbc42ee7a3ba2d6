"""Why a command ends without success: what happened, where, and what to do about it."""

from collections.abc import Mapping, Sequence
from typing import Any

#: Exit codes of every command.
OK, FAILED, BAD_USAGE = 0, 1, 2
#: Ctrl-C, as shells say it.
STOPPED = 130


class CommandFailed(Exception):
    """The command could not do what was asked.

    Args:
        what: What happened, one sentence.
        where: The file, address, field or line it happened at; "" where `what` says it.
        advice: What to do, one item a line.
        document: The machine's version of it (a problem document), for `--json`.
        exit_code: FAILED, or BAD_USAGE where the caller's input is at fault.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        advice: Sequence[str] = (),
        document: Mapping[str, Any] | None = None,
        exit_code: int = FAILED,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.advice = tuple(advice)
        self.document = dict(document or {})
        self.exit_code = exit_code

    def as_document(self) -> dict[str, Any]:
        """Return the failure as `--json` prints it."""
        words = {"what": self.what, "where": self.where, "advice": list(self.advice)}
        return {"error": {**{key: word for key, word in words.items() if word}, **self.document}}


def bad_usage(what: str, *advice: str, where: str = "") -> CommandFailed:
    """Return the failure of a command that was given something it cannot use."""
    return CommandFailed(what, where=where, advice=advice, exit_code=BAD_USAGE)
