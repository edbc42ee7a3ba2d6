"""How eagerly a reply is shown, and that one is being written."""

import msgspec


class StreamPolicy(msgspec.Struct, frozen=True):
    """`first_after_s` gives a quick agent the time to end: then one message does, without edits.

    All choices. `tries` frames in a row may fail before only the end is shown; `poll_s` is how soon
    the end of a turn is noticed during a pause. "Typing" is shown after `typing_after_s` and again
    every `typing_every_s`; `activities_per_account` such calls may be under way, and after one that
    failed there is none for `activity_pause_s`.
    """

    first_after_s: float = 0.8
    tries: int = 3
    poll_s: float = 0.05
    store_retry_s: float = 0.5
    tombstone_s: float = 60.0
    typing_after_s: float = 1.0
    typing_every_s: float = 15.0
    activities_per_account: int = 4
    activity_pause_s: float = 60.0
