"""What a plugin process may do, and that nothing of it stays behind."""
