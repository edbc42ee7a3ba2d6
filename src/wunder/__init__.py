"""Wunder Channels: the gateway between chat platforms and an agent."""

__version__ = "0.1.0"
