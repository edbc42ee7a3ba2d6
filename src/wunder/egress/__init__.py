"""Everything the gateway fetches goes through here (security rule 10)."""
