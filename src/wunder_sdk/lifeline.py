"""End this process when the gateway is gone, even while the event loop hangs.

A thread of its own waits for the hang-up of the wire and for a change of parent. It never
reads: hang-up shows without that. The loop gets a short while to finish, then `os._exit`.
"""

import os
import select
import threading

#: The host waits 2 s between closing stdin and SIGTERM; be gone before (choice).
DRAIN_S = 1.8
#: How often to look whether the parent is still the one that started us (rule R3).
PARENT_CHECK_S = 5.0
#: EX_SOFTWARE: the loop did not let go.
EXIT_HUNG = 70

_HANG_UP = select.POLLHUP | select.POLLERR | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)


class Lifeline:
    """Watches the wire's reading end; `start` once, `let_go` when the process ends by itself."""

    def __init__(self, read_fd: int, *, watches_wire: bool = True) -> None:
        self._read_fd = read_fd
        self._parent = os.getppid()
        self._watches_wire = watches_wire
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def let_go(self, within_s: float, code: int) -> None:
        """Exit with `code` at the latest after `within_s`, should the normal way hang."""
        if self._ended.is_set():
            return
        self._ended.set()
        timer = threading.Timer(within_s, os._exit, (code,))
        timer.daemon = True
        timer.start()

    def _watch(self) -> None:
        poller = select.poll()
        if self._watches_wire:
            poller.register(self._read_fd, getattr(select, "POLLRDHUP", 0))
        while not self._ended.is_set():
            events = poller.poll(PARENT_CHECK_S * 1000)
            hung_up = any(mask & _HANG_UP for _, mask in events)
            if hung_up or os.getppid() != self._parent:
                break
        if not self._ended.wait(DRAIN_S):
            os._exit(EXIT_HUNG)
