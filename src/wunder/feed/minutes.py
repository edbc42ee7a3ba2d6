"""Figures by the minute, from counters that are kept anyway: what came in, what went out, how fast."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from wunder.model.ids import At
from wunder.observe.metrics import Histogram, Metrics
from wunder.ports import Clock

SLICE_S = 10
#: Two hours of slices: what a chart of the overview shows.
MAX_SLICES = 720
_SLICES_A_MINUTE = 60 // SLICE_S
_SLICES_AN_HOUR = 60 * _SLICES_A_MINUTE
#: For the same hour a day earlier a reading in five minutes is enough: 25 hours of them.
MARK_S = 300
_SLICES_A_MARK = MARK_S // SLICE_S
_MAX_MARKS = 25 * 3600 // MARK_S + 2
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_FAILED = ("failed", "unknown", "expired")
_WAITING = ("pending", "claimed", "sending", "streaming", "held")


class Minute(msgspec.Struct, frozen=True):
    """What this node did within the time that ended at `at`; latencies null where nothing happened.

    `delivery_*` is from receiving a message to sending a reply to it, read off a histogram: exact to
    its bucket. `faults`: attempts that did not send, by kind of fault. `waiting` and `dead`: deliveries of
    the whole gateway at the end of it.
    """

    at: At
    taken_in: int = 0
    answered: int = 0
    sent: int = 0
    failed: int = 0
    delivery_p50_ms: int | None = None
    delivery_p95_ms: int | None = None
    faults: dict[str, int] = {}
    waiting: int = 0
    dead: int = 0


class _Reading(msgspec.Struct, frozen=True):
    at: At
    counts: tuple[int, int, int, int]
    latencies: tuple[int, ...]
    faults: dict[str, int]
    waiting: int
    dead: int


class Minutes:
    """Reads the counters every 10 s and remembers two hours of it, in memory; of a day only marks."""

    def __init__(
        self, metrics: Metrics, clock: Clock, figures: Callable[[], Mapping[str, float]]
    ) -> None:
        self._metrics = metrics
        self._figures = figures
        self._clock = clock
        first = self._read()
        self._readings: deque[_Reading] = deque([first], maxlen=MAX_SLICES + 1)
        self._marks: deque[_Reading] = deque([first], maxlen=_MAX_MARKS)
        self._unmarked = 0

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._clock.sleep(SLICE_S)
            self.sample()

    def sample(self) -> None:
        """Read once."""
        self._readings.append(self._read())
        self._unmarked += 1
        if self._unmarked == _SLICES_A_MARK:
            self._marks.append(self._readings[-1])
            self._unmarked = 0

    def kept_since(self) -> At:
        """Return when the first of what is remembered was read: a day and an hour ago at most."""
        return self._marks[0].at

    def last(self) -> Minute:
        """Return the last 60 seconds, and up to 10 before."""
        now = self._read()
        since = self._readings[max(0, len(self._readings) - 1 - _SLICES_A_MINUTE)]
        return self._between(since, now)

    def hours(self) -> tuple[Minute, Minute | None]:
        """Return the last 60 minutes, or as many as are kept, and those before if all 60 are kept."""
        kept = self._readings
        last = self._between(kept[max(0, len(kept) - 1 - _SLICES_AN_HOUR)], self._read())
        is_full = len(kept) > 2 * _SLICES_AN_HOUR
        return last, self._between(
            kept[-1 - 2 * _SLICES_AN_HOUR], kept[-1 - _SLICES_AN_HOUR]
        ) if is_full else None

    def day_before(self) -> Minute | None:
        """Return the 60 minutes that ended a day ago, to a mark; None where they are not remembered."""
        now = self._clock.now()
        since, until = (self._mark_at(At(now - _DAY_MS - back)) for back in (_HOUR_MS, 0))
        return self._between(since, until) if since and until else None

    def all(self) -> tuple[Minute, ...]:
        """Return whole minutes, oldest first."""
        kept = list(self._readings)
        ends = range(len(kept) - 1, _SLICES_A_MINUTE - 1, -_SLICES_A_MINUTE)
        found = [self._between(kept[end - _SLICES_A_MINUTE], kept[end]) for end in ends]
        return tuple(reversed(found))

    def _mark_at(self, at: At) -> _Reading | None:
        """Find the mark nearest to a time; none where nothing was read about then, as in a sleep."""
        nearest = min(self._marks, key=lambda one: abs(one.at - at))
        return nearest if abs(nearest.at - at) <= MARK_S * 1000 else None

    def _read(self) -> _Reading:
        metrics = self._metrics
        counts = (
            metrics.intake_messages.value("accepted"),
            metrics.turns.value("answered"),
            metrics.deliveries.value("sent"),
            sum(metrics.deliveries.value(state) for state in _FAILED),
        )
        taken_in, answered, sent, failed = (int(count) for count in counts)
        latencies = metrics.delivery_seconds.counts()
        figures = self._figures()
        waiting, dead = (
            int(sum(figures.get(f"channel_outbox_{state}", 0) for state in states))
            for states in (_WAITING, _FAILED)
        )
        return _Reading(
            self._clock.now(),
            (taken_in, answered, sent, failed),
            latencies,
            _faults(metrics),
            waiting,
            dead,
        )

    def _between(self, since: _Reading, until: _Reading) -> Minute:
        pairs = zip(until.counts, since.counts, strict=True)
        taken_in, answered, sent, failed = (now - before for now, before in pairs)
        slices = zip(until.latencies, since.latencies, strict=True)
        latencies = [now - before for now, before in slices]
        histogram = self._metrics.delivery_seconds
        faults = {
            kind: more
            for kind, count in until.faults.items()
            if (more := count - since.faults.get(kind, 0))
        }
        return Minute(
            at=until.at,
            taken_in=taken_in,
            answered=answered,
            sent=sent,
            failed=failed,
            delivery_p50_ms=_quantile_ms(histogram, latencies, 0.5),
            delivery_p95_ms=_quantile_ms(histogram, latencies, 0.95),
            faults=faults,
            waiting=until.waiting,
            dead=until.dead,
        )


def _faults(metrics: Metrics) -> dict[str, int]:
    """Return how many attempts ended with each kind of fault so far."""
    found: dict[str, int] = {}
    for (_, kind), count in metrics.attempts.values().items():
        if kind != "none":
            found[kind] = found.get(kind, 0) + int(count)
    return found


def _quantile_ms(histogram: Histogram, counts: Sequence[int], quantile: float) -> int | None:
    """Return a quantile in ms, straight-lined inside its bucket; None where nothing was counted."""
    total = sum(counts)
    if total <= 0:
        return None
    wanted, below, floor = total * quantile, 0, 0.0
    for bound, count in zip(histogram.bounds, counts, strict=False):
        if count and below + count >= wanted:
            return round((floor + (bound - floor) * (wanted - below) / count) * 1000)
        below += count
        floor = bound
    return round(floor * 1000)  # beyond the last bound: at least that
