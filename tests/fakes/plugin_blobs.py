"""The door PluginBlobs in memory: the one that `wunder plugin call` stands behind."""

from wunder.cli.call.memory import MemoryBlobs as FakePluginBlobs

__all__ = ["FakePluginBlobs"]
