"""The door PluginCalls: the fake host answers with functions; it has no breaker."""

from tests.fakes.plugin_host import FakePluginHost as FakePluginCalls

__all__ = ["FakePluginCalls"]
