"""The running plugins: processes, the wire to them, limits, breakers, restarts."""
