"""How long a piece of text may be: QQ says it nowhere, and every piece costs a reply."""

from wunder_sdk.splitting import take

#: The limit of a piece: 2000 while that is enough, else up to 4500. QQ publishes no number;
#: refusals were seen from 2000 to 5000 characters (QQ bot SDKs, read 2026-07).
LIMITS = (2000, 2500, 3000, 3500, 4000, 4500)
#: What a text ends with if no reply is left for its rest.
TRUNCATED = "…（内容过长，已截断）"


def choose_limit(text: str, most_pieces: int | None) -> int:
    """Return the smallest of `LIMITS` that needs at most `most_pieces` pieces, else the largest."""
    if most_pieces is None:
        return LIMITS[0]
    fitting = (limit for limit in LIMITS[:-1] if _fits(text, limit, most_pieces))
    return next(fitting, LIMITS[-1])


def _fits(text: str, limit: int, most_pieces: int) -> bool:
    at = 0
    for _ in range(most_pieces):
        if at >= len(text) or len(text) - at > limit * most_pieces:
            break
        at = take(text, at, limit).end
    return at >= len(text)
