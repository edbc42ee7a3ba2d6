"""How often a member may be written to: WeCom drops what is beyond without a word."""

from collections import OrderedDict, deque

#: One app to one member (WeCom docs 90236, 90312): 30 a minute, 1000 an hour.
_LIMITS = ((60_000, 30), (3_600_000, 1_000))
#: Members remembered in a process (choice): one more forgets the one written to longest ago.
_MEMBERS = 20_000


class MemberPace:
    """Counts what this process sent to each member; the gateway's own pacing comes before it."""

    def __init__(self) -> None:
        self._sent: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def wait_s(self, account_id: str, member: str, now_ms: int) -> float:
        """Return how many seconds the next message to this member has to wait, 0.0 for none."""
        sent = self._sent.get((account_id, member))
        if sent is None:
            return 0.0
        waits = [
            sent[-most] + window_ms - now_ms for window_ms, most in _LIMITS if len(sent) >= most
        ]
        return max(0, *waits, 0) / 1000

    def note(self, account_id: str, member: str, now_ms: int) -> None:
        """Count a message that WeCom took, or may have taken."""
        sent = self._sent.setdefault((account_id, member), deque(maxlen=_LIMITS[-1][1]))
        self._sent.move_to_end((account_id, member))
        sent.append(now_ms)
        while len(self._sent) > _MEMBERS:
            self._sent.popitem(last=False)
