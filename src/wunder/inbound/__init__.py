"""Room 1: a platform event becomes stored messages."""
