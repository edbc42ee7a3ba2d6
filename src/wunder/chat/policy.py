"""How patient the chat page's room is, and how much it keeps at once."""

import msgspec


class ChatPolicy(msgspec.Struct, frozen=True):
    """Limits of the chat page; choices, see ADR 0087.

    `visit_s`: how long a visitor's token is good; a page that is open renews it. `lines_shown` of a
    conversation are read when a page opens, `lines_changed` when something changed. A conversation
    is looked at `quick_look_s` after something was said in it, then ever more rarely, at least each
    `busy_look_s` while an answer is under way and each `idle_look_s` else: what another node
    commits is seen so late. `check_s`: how soon an open stream notices that it may not go on.
    """

    visit_s: int = 30 * 86_400
    text_chars: int = 8_000
    lines_shown: int = 200
    lines_changed: int = 50
    quick_look_s: float = 0.03
    busy_look_s: float = 0.5
    idle_look_s: float = 2.0
    check_s: float = 2.0
    heartbeat_s: float = 15.0
    streams: int = 2_000
    streams_per_visitor: int = 8
    streams_per_source: int = 200
    visits_per_minute: int = 30  # of one source
