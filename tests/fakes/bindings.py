"""Bindings that a test puts in."""

from collections.abc import Sequence

from wunder.model.binding import ANY, Binding
from wunder.model.ids import AccountId, ChannelId


class FakeBindings:
    """Bindings in a list."""

    def __init__(self, *bindings: Binding) -> None:
        self.bindings = list(bindings)

    def of(self, channel: ChannelId, account_id: AccountId) -> Sequence[Binding]:
        return tuple(one for one in self.bindings if one.account_id in (ANY, account_id))
