"""Every metric of the gateway on one page: name, unit, labels and what it counts.

Kept as plain numbers and written in Prometheus' text format by hand; why: docs/adr/0040. A label takes
the values listed here and nothing else (security rule 18): any other becomes `other`.
"""

import bisect
import resource
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.model.intake import Taken
from wunder.model.message import MessageState
from wunder.model.runtime import RuntimeState

Labels = Mapping[str, frozenset[str]]

#: Seconds. Choice: from one fsync (1 ms) to the longest wait a person accepts.
QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Seconds. Agents think and platforms throttle: up to the hour.
SLOW_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)

WEBHOOK_OUTCOMES = frozenset(
    {"accepted", "duplicate", "ignored", "challenge", "spooled", "dropped", "refused", "throttled"}
    | {"unavailable", "too_large", "signature", "malformed", "no_account", "failed"}
)
INTAKE_RESULTS = frozenset(result.value for result in Taken)
ATTEMPT_OUTCOMES = frozenset({"sent", "not_sent", "unknown"})
METHODS = frozenset(
    {"plugin.handshake", "plugin.health", "plugin.shutdown", "channel.validate_account_config"}
    | {"channel.identify_account", "channel.parse_inbound", "channel.send_outbound"}
    | {"channel.render_inline_reply", "channel.edit_outbound", "channel.send_activity"}
    | {"channel.fetch_attachment", "channel.start_account", "channel.stop_account"}
    | {"channel.renew_lease"}
)
KINDS = frozenset({kind.value for kind in FaultKind} | {"none"})
OTHER = "other"


class Counter:
    """A number that only grows, one for each combination of label values."""

    __slots__ = ("_counts", "help", "labels", "name")

    def __init__(self, name: str, help_text: str, labels: Labels | None = None) -> None:
        self.name = name
        self.help = help_text
        self.labels = dict(labels or {})
        self._counts: dict[tuple[str, ...], float] = {} if self.labels else {(): 0.0}

    def inc(self, *values: str, by: float = 1.0) -> None:
        """Add `by`; `values` in the order in which the labels are declared."""
        try:
            self._counts[values] += by
        except KeyError:
            key = _closed(self.labels, values)
            self._counts[key] = self._counts.get(key, 0.0) + by

    def value(self, *values: str) -> float:
        """Return what was counted so far; 0.0 for what never happened."""
        return self._counts.get(_closed(self.labels, values), 0.0)

    def values(self) -> dict[tuple[str, ...], float]:
        """Return what was counted, by label values."""
        return dict(self._counts)

    def lines(self) -> Iterator[str]:
        """Write the counter in Prometheus' text format."""
        yield from _head(self.name, self.help, "counter")
        for key in sorted(self._counts):
            yield _sample(self.name, zip(self.labels, key, strict=True), self._counts[key])


class Histogram:
    """How often a duration fell below each bound, and their sum. Seconds."""

    __slots__ = ("_counts", "_sum", "bounds", "help", "name")

    def __init__(self, name: str, help_text: str, bounds: Sequence[float] = QUICK_S) -> None:
        self.name = name
        self.help = help_text
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration; a negative one, from a clock that stepped, counts as 0."""
        seconds = max(0.0, seconds)
        self._counts[bisect.bisect_left(self.bounds, seconds)] += 1
        self._sum += seconds

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return sum(self._counts)

    def counts(self) -> tuple[int, ...]:
        """How many durations fell into each bucket: up to each bound, and above the last."""
        return tuple(self._counts)

    def lines(self) -> Iterator[str]:
        """Write the histogram in Prometheus' text format."""
        yield from _head(self.name, self.help, "histogram")
        below = 0
        for bound, count in zip((*self.bounds, "+Inf"), self._counts, strict=True):
            below += count
            yield _sample(f"{self.name}_bucket", [("le", str(bound))], below)
        yield _sample(f"{self.name}_sum", (), self._sum)
        yield _sample(f"{self.name}_count", (), below)


class Metrics:
    """The gateway's metrics; one for the process, handed to the rooms by app.py."""

    def __init__(self) -> None:
        self.webhook_requests = Counter(
            "wunder_webhook_requests_total",
            "Webhook requests answered, by outcome.",
            {"outcome": WEBHOOK_OUTCOMES},
        )
        self.webhook_seconds = Histogram(
            "wunder_webhook_seconds", "From the first byte of a webhook to its answer."
        )
        self.intake_messages = Counter(
            "wunder_intake_messages_total",
            "Inbound messages, by what became of them.",
            {"result": INTAKE_RESULTS},
        )
        self.turns = Counter(
            "wunder_turns_total",
            "Turns ended, by the state of their message.",
            {"state": frozenset(state.value for state in MessageState)},
        )
        self.agent_seconds = Histogram(
            "wunder_agent_seconds", "From asking an agent to its answer.", SLOW_S
        )
        self.deliveries = Counter(
            "wunder_deliveries_total",
            "Deliveries that entered a state.",
            {"state": frozenset(state.value for state in DeliveryState)},
        )
        self.attempts = Counter(
            "wunder_attempts_total",
            "Attempts ended, by outcome and kind of fault (none: sent).",
            {"outcome": ATTEMPT_OUTCOMES, "kind": KINDS},
        )
        self.delivery_seconds = Histogram(
            "wunder_delivery_seconds", "From receiving a message to sending a reply to it.", SLOW_S
        )
        self.plugin_calls = Counter(
            "wunder_plugin_calls_total",
            "Calls to plugins, by method and kind of fault (none: answered).",
            {"method": METHODS, "kind": KINDS},
        )
        self.plugin_call_seconds = Histogram(
            "wunder_plugin_call_seconds", "From queueing a plugin call to its answer."
        )
        self._figures: Callable[[], Mapping[str, float]] | None = None
        self._plugin_states: Callable[[], Iterable[RuntimeState]] | None = None
        self._admission: Callable[[], Mapping[str, float]] | None = None

    def watch(
        self,
        figures: Callable[[], Mapping[str, float]] | None = None,
        plugin_states: Callable[[], Iterable[RuntimeState]] | None = None,
        admission: Callable[[], Mapping[str, float]] | None = None,
    ) -> None:
        """Say where gauges come from: the store's figures, each known plugin's state, the gate."""
        self._figures = figures or self._figures
        self._plugin_states = plugin_states or self._plugin_states
        self._admission = admission or self._admission

    def render(self) -> bytes:
        """Return everything in Prometheus' text format 0.0.4.

        Source: https://prometheus.io/docs/instrumenting/exposition_formats/
        """
        lines: list[str] = []
        for metric in vars(self).values():
            if isinstance(metric, Counter | Histogram):
                lines += metric.lines()
        lines += self._store_lines()
        lines += self._plugin_lines()
        lines += self._admission_lines()
        lines += _process_lines()
        return ("\n".join(lines) + "\n").encode()

    def _store_lines(self) -> Iterator[str]:
        if self._figures is None:
            return
        yield from _head("wunder_store", "Kept counters of the store: rows by state.", "gauge")
        for name, value in sorted(self._figures().items()):
            yield _sample("wunder_store", [("figure", name)], value)

    def _admission_lines(self) -> Iterator[str]:
        if self._admission is None:
            return
        yield from _head("wunder_admission", "How much may wait, and how fast it ends.", "gauge")
        for name, value in sorted(self._admission().items()):
            yield _sample("wunder_admission", [("figure", name)], value)

    def _plugin_lines(self) -> Iterator[str]:
        if self._plugin_states is None:
            return
        states = list(self._plugin_states())
        yield from _head("wunder_plugins", "Plugins by the state of their process.", "gauge")
        for state in RuntimeState:
            yield _sample("wunder_plugins", [("state", state.value)], states.count(state))


#: The content type that belongs to `Metrics.render`.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _closed(labels: Labels, values: Sequence[str]) -> tuple[str, ...]:
    if len(values) != len(labels):
        raise ValueError(f"labels are {tuple(labels)}")
    return tuple(
        value if value in allowed else OTHER
        for value, allowed in zip(values, labels.values(), strict=True)
    )


def _head(name: str, help_text: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    number = int(value) if value == int(value) else value
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _process_lines() -> Iterator[str]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield from _head("process_cpu_seconds_total", "CPU time of the gateway.", "counter")
    yield _sample("process_cpu_seconds_total", (), usage.ru_utime + usage.ru_stime)
    yield from _head("process_max_resident_kilobytes", "Largest memory so far (Linux).", "gauge")
    yield _sample("process_max_resident_kilobytes", (), usage.ru_maxrss)
