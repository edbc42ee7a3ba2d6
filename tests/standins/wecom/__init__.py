"""A stand-in of WeCom: its API with its rules, and sealed callbacks of apps and AI bots."""
