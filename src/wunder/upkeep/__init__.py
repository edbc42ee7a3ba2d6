"""Upkeep: what administrators do beside the traffic, and the work that goes on in small steps."""
