"""Room 2: a stored message becomes replies."""
