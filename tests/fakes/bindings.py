"""Bindings that a test puts in."""

from collections.abc import Sequence

from wunder.model.binding import Binding


class FakeBindings:
    """Bindings in a list."""

    def __init__(self, *bindings: Binding) -> None:
        self.bindings = list(bindings)

    def all(self) -> Sequence[Binding]:
        return tuple(self.bindings)
