"""`channel_visibility`: which channels users may connect accounts of."""

from collections.abc import Iterable

from wunder.model.ids import At, ChannelId
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works

_VISIBLE = "SELECT channel FROM channel_visibility WHERE is_user_visible = 1"
_CHOOSE = """
INSERT INTO channel_visibility (channel, is_user_visible, updated_at, updated_by) VALUES (?, ?, ?, ?)
ON CONFLICT (channel) DO UPDATE SET is_user_visible = excluded.is_user_visible,
  updated_at = excluded.updated_at, updated_by = excluded.updated_by
"""


class SqlVisibilityTable:
    """Port VisibilityTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def visible(self) -> set[ChannelId]:
        """The channels that users see."""
        return {ChannelId(row[0]) for row in await self._reader.rows(_VISIBLE)}

    async def choose(
        self, channels: Iterable[ChannelId], *, is_visible: bool, at: At, by: str
    ) -> None:
        """Show channels to users, or hide them."""

        async def unit(tx: Transaction) -> None:
            for channel in channels:
                await tx.run(_CHOOSE, (channel, int(is_visible), at, by))

        await self._writer.work(unit)
