"""Room 3: a queued delivery reaches the platform."""
