"""The store in one SQLite file: one writer thread, group commit, read-only readers."""
