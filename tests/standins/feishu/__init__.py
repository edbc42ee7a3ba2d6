"""A stand-in of the Feishu open platform: its API with its rules, and its events."""
