"""Where rows entered a lane."""

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where rows entered: `first_seq` is the first of them.

    `is_free`: nobody was before them and the lane does not rest; `fence` is then that of the claim
    which entering asked for.
    """

    lane_id: int
    first_seq: int
    is_free: bool
    fence: int
