"""The check value of a key, in memory."""

from wunder.errors import Conflict


class FakeKeyCheck:
    """KeyCheck over one variable; a test may lose or change it."""

    def __init__(self, value: bytes | None = None) -> None:
        self.value = value

    async def get(self) -> bytes | None:
        return self.value

    async def put(self, value: bytes) -> None:
        if self.value is not None and self.value != value:
            raise Conflict(reason="key_check_exists")
        self.value = value
