"""The store on PostgreSQL: the engine for many nodes."""
