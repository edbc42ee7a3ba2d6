"""Beside the corridor: a reply is shown while its agent still writes it."""
