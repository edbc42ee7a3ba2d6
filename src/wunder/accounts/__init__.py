"""Accounts: what an account, a binding, an agent may hold, and how their secrets are kept."""
