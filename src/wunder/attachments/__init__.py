"""Beside the corridor: media is fetched, kept for a while, shown to agents and sent."""
