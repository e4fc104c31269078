"""Damaged dumps, made by code from a small real database, and what must be found of each."""
