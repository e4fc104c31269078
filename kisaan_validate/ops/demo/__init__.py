"""The demonstration: one night of a migration with planted faults, on a real PostgreSQL of its own."""
