"""The only door to PostgreSQL: connections, the snapshot, timeouts, catalogue queries. Never writes."""
