"""Inline replies over the lanes of this engine."""

from wunder.store.inline import InlineReplies
from wunder.store.postgres.delivery_rows import MARKS
from wunder.store.postgres.held import LANES

INLINE = InlineReplies(LANES, MARKS)
