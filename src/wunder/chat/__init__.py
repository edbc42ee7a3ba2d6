"""Beside the corridor: the chat page, a platform of the gateway's own (ADR 0087)."""
