"""How a message and the talk before it read to an agent (pure)."""

from collections.abc import Sequence

from wunder.model.conversation import HistoryLine
from wunder.model.message import Attachment, Content


def described(content: Content) -> str:
    """Return a message as text: what it says, then what is attached, by kind and name."""
    lines = [content.text] if content.text else []
    lines += [_named(one) for one in content.attachments]
    if content.location is not None:
        place = content.location.address or f"{content.location.lat}, {content.location.lng}"
        lines.append(f"[location: {place}]")
    return "\n".join(lines)


def _named(one: Attachment) -> str:
    named = f"{one.kind}: {one.name}" if one.name else one.kind
    return f"[{named}, not available]" if one.missing else f"[{named}]"


def recent(
    history: Sequence[HistoryLine], max_messages: int, max_chars: int
) -> tuple[HistoryLine, ...]:
    """Return the newest lines that fit both limits, oldest first; a line is never cut."""
    kept: list[HistoryLine] = []
    left = max_chars
    for line in reversed(history[-max_messages:] if max_messages > 0 else ()):
        left -= len(line.text)
        if left < 0:
            break
        kept.append(line)
    return tuple(reversed(kept))
