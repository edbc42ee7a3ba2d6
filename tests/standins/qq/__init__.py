"""A stand-in of the QQ open platform: its API with its rules, and signed callbacks."""
