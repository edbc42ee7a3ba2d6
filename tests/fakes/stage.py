"""The door Stage: keeps what was said where a test wants to watch, else nobody does."""

from contextlib import asynccontextmanager

from wunder.model.turn import Shown


class FakeStage:
    def __init__(self, *, is_watched: bool = False) -> None:
        self.is_watched = is_watched
        self.frames: list[str] = []

    @asynccontextmanager
    async def show(self, turn, expires_at):
        shown = Shown()
        if self.is_watched:

            def say(text: str) -> None:
                self.frames.append(text)
                shown.text = text

            shown.say = say
        yield shown
