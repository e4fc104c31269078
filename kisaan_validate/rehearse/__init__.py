"""A migration on a copy of the database: what it locks, who feels it, which rules it breaks."""
