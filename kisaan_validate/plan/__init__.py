"""Checks and catalogue facts become statements. Pure: the same input gives the same SQL text."""
