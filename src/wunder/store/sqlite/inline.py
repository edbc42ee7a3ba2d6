"""Inline replies over the lanes of this engine."""

from wunder.store.inline import InlineReplies
from wunder.store.sqlite.delivery_rows import MARKS
from wunder.store.sqlite.held import LANES

INLINE = InlineReplies(LANES, MARKS)
