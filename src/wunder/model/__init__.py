"""The nouns of the gateway and their transition tables; no I/O."""
