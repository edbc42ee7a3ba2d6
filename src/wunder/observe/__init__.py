"""What operators see: logs, metrics, time."""
