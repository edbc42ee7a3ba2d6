"""Looks for work that a store may refuse: said once when they begin to fail, once when they are well again."""

from types import TracebackType

from wunder.errors import StoreBroken, WunderError
from wunder.observe.logs import Logger


class Outage:
    """Guards each look of a worker: `with self._outage: ...`. What is refused is looked for again later.

    Also where one row alone is refused: the others are not to wait for it. A broken store ends the worker.
    """

    def __init__(self, log: Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._is_on = False

    def __enter__(self) -> None:
        """Begin a look."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """End it; True where it was refused and is to be taken again."""
        if error is None:
            if self._is_on:
                self._log.info(f"{self._what}_readable_again")
            self._is_on = False
            return False
        if isinstance(error, StoreBroken) or not isinstance(error, WunderError):
            return False
        if not self._is_on:
            self._log.warning(f"{self._what}_not_readable", reason=error.code, detail=error.detail)
        self._is_on = True
        return True
