"""The plugin protocol, version 1: frames, methods, messages, manifest and errors."""
