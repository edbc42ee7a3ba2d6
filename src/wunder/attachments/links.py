"""Signed links to attachments: whoever holds one may read one file until it expires."""

import hmac
from collections.abc import Callable

from wunder.model.ids import BlobId
from wunder.ports import Clock

PATH = "/wunder/untrusted/attachments/"


class SignedLinks:
    """Makes and checks `<base>/wunder/untrusted/attachments/<id>?t=<unix s>.<hex hmac-sha256>`.

    Args:
        key: of the data dir; links survive a restart and hold on every node.
        base_url: where agents reach this gateway; asked each time, the port may not be known yet.
        lives_s: how long a link is good.
    """

    def __init__(self, key: bytes, base_url: Callable[[], str], clock: Clock, lives_s: int) -> None:
        self._key = key
        self._base_url = base_url
        self._clock = clock
        self._lives_s = lives_s

    def link(self, blob_id: BlobId) -> str:
        """Return a link that is good from now on."""
        expires_s = self._clock.now() // 1000 + self._lives_s
        return f"{self._base_url()}{PATH}{blob_id}?t={expires_s}.{self._sign(blob_id, expires_s)}"

    def is_good(self, blob_id: str, token: str) -> bool:
        """Check a link's token: made by us, for this very file, not expired."""
        expires, _, signature = token.partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        expected = self._sign(blob_id, int(expires))
        given = signature.encode("utf-8", "surrogatepass")
        is_ours = hmac.compare_digest(expected.encode(), given)
        return is_ours and self._clock.now() < int(expires) * 1000

    def _sign(self, blob_id: str, expires_s: int) -> str:
        signed = f"{blob_id}:{expires_s}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, signed, "sha256").hex()
