"""Who speaks a channel now: the two adapters of the ChannelProvider port, and the registry."""
