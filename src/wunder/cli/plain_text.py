"""Text of users, platforms and plugins as a terminal may show it (security rule 18)."""

import re

#: What moves a cursor, rings, hides, turns text around or ends a line; and half characters.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def plain(text: object, keep: str = "") -> str:
    r"""Return text on one line with every control character as `\x1b` or `\u202e`.

    Args:
        text: Anything; shown as `str` has it.
        keep: Control characters that may stay, such as a newline.
    """
    return _CONTROL.sub(
        lambda found: found[0] if found[0] in keep else _escaped(found[0]), str(text)
    )


def _escaped(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    code = ord(character)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
