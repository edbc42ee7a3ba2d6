"""How eagerly a reply is shown."""

import msgspec


class StreamPolicy(msgspec.Struct, frozen=True):
    """`first_after_s` gives a quick agent the time to end: then one message does, without edits.

    All choices. `tries` frames in a row may fail before only the end is shown; `poll_s` is how soon
    the end of a turn is noticed during a pause.
    """

    first_after_s: float = 0.8
    tries: int = 3
    poll_s: float = 0.05
    store_retry_s: float = 0.5
    tombstone_s: float = 60.0
