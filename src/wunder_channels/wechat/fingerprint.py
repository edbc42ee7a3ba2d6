"""A mark nobody sees: WeCom's duplicate check then drops a repeated send, never an equal answer."""

import hashlib

#: Zero-width characters; behind the last word they change nothing that a person sees.
_ALPHABET = ("\u200b", "\u200c", "\u200d")
_LENGTH = 8
#: What a mark takes of a text's limit, in bytes.
MARK_BYTES = 3 * _LENGTH


def marked(text: str, idempotency_key: str) -> str:
    """Return `text` with the mark of this delivery's part, the same for each of its attempts.

    With `enable_duplicate_check` WeCom drops a message whose content it has seen within four
    hours: a repeat after a lost answer, but just as well the second "OK" of a conversation. The
    mark makes different deliveries differ (one pair of equal texts in 6,561 still looks alike).
    """
    number = int.from_bytes(hashlib.sha256(idempotency_key.encode()).digest()[:8], "big")
    mark: list[str] = []
    for _ in range(_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        mark.append(_ALPHABET[index])
    return text + "".join(mark)
