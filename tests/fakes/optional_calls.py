"""The door OptionalCalls: the small platform can all of it."""

from tests.fakes.channel_provider import FakeChannelProvider as FakeOptionalCalls

__all__ = ["FakeOptionalCalls"]
