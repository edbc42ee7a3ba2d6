"""Lock-out: how many wrong passwords a source may give for a name before it has to wait (rule 16).

Counted by source and name together, and by source alone; never by name alone, or a stranger could lock
an administrator out. Kept in memory, bounded: who was quiet longest is forgotten first.
"""

from wunder.people.policy import PeoplePolicy

#: Choice: more than the sources that a single administrator's gateway ever sees; 2 MB.
MAX_KEPT = 10_000


class _Record:
    __slots__ = ("failures", "locked_until", "locks", "seen_at")

    def __init__(self) -> None:
        self.failures = 0
        self.locks = 0
        self.locked_until = 0.0
        self.seen_at = 0.0


class Throttle:
    """Who has to wait; times are monotonic seconds."""

    def __init__(self, policy: PeoplePolicy) -> None:
        self._policy = policy
        self._records: dict[tuple[str, str], _Record] = {}

    def wait_s(self, source: str, name: str, now: float) -> int:
        """Return after how many seconds a password is looked at again; 0: now."""
        until = max(
            (
                record.locked_until
                for key in _keys(source, name)
                if (record := self._records.get(key))
            ),
            default=0.0,
        )
        return 0 if until <= now else int(until - now) + 1

    def failed(self, source: str, name: str, now: float) -> None:
        """Count a wrong password; the name need not exist."""
        pair, alone = _keys(source, name)
        self._count(pair, self._policy.tries, now)
        self._count(alone, self._policy.source_tries, now)

    def succeeded(self, source: str, name: str) -> None:
        """Take back the count of this try, and forget what the source got wrong for this name."""
        pair, alone = _keys(source, name)
        self._records.pop(pair, None)
        record = self._records.get(alone)
        if record is not None:
            if record.failures == 0 and record.locks:  # this try was the one that locked
                record.failures, record.locked_until = self._policy.source_tries, 0.0
                record.locks -= 1
            record.failures = max(0, record.failures - 1)

    def _count(self, key: tuple[str, str], tries: int, now: float) -> None:
        record = self._records.pop(key, None)
        if record is None:
            if len(self._records) >= MAX_KEPT:
                del self._records[next(iter(self._records))]
            record = _Record()
        if now - record.seen_at > self._policy.lock_max_s:
            record.failures = record.locks = 0
        self._records[key] = record
        record.seen_at = now
        record.failures += 1
        if record.failures >= tries:
            record.failures = 0
            span = min(self._policy.lock_s * 2**record.locks, self._policy.lock_max_s)
            record.locks += 1
            record.locked_until = now + span


def _keys(source: str, name: str) -> tuple[tuple[str, str], tuple[str, str]]:
    # A space is in no name: nobody's name stands for "any".
    return (source, name[:64]), (source, " ")
