"""The door Sends: the small platform, whose room a test sets."""

from tests.fakes.channel_provider import FakeChannelProvider as FakeSends

__all__ = ["FakeSends"]
