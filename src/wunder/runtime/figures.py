"""What is counted of the calls to one plugin since its process started."""

from wunder.model.fault import FaultKind
from wunder.model.runtime import MethodFigures

SAMPLES = 512  # newest calls per method that quantiles are taken from


class MethodCount:
    """Calls of one method."""

    __slots__ = ("_took_s", "calls", "errors")

    def __init__(self) -> None:
        self.calls = 0
        self.errors: dict[str, int] = {}
        self._took_s: list[float] = []

    def add(self, took_s: float, fault: FaultKind | None) -> None:
        """Count one call that ended."""
        if len(self._took_s) < SAMPLES:
            self._took_s.append(took_s)
        else:
            self._took_s[self.calls % SAMPLES] = took_s
        self.calls += 1
        if fault is not None:
            self.errors[fault.value] = self.errors.get(fault.value, 0) + 1

    def figures(self) -> MethodFigures:
        """Return the numbers, quantiles of the newest calls in milliseconds."""
        took = sorted(self._took_s)

        def quantile(share: float) -> float:
            return round(took[min(len(took) - 1, int(len(took) * share))] * 1e3, 3) if took else 0.0

        return MethodFigures(
            self.calls, dict(self.errors), quantile(0.5), quantile(0.95), quantile(0.99)
        )
