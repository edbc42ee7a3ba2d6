"""The tables behind the doors: SQLite now; schema, limits and text rules shared by every engine."""
