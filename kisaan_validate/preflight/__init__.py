"""Decides before a migration: go, no-go or cannot tell, with reasons, from facts and recent evidence."""
