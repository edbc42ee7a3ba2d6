"""How long a delivery may wait: what it was given first, however often its end is moved."""

#: Of a row of `channel_outbox`. Kept when its end is first moved, so that the message path writes no column more.
TTL_MS = "coalesce(ttl_ms, expires_at - created_at)"
#: Beside a new `expires_at`: both are read as they were before.
KEEP_TTL = f"ttl_ms = {TTL_MS}"
