"""Digests of rows that the server itself computes: facts about types and columns in, SQL text out. Pure."""
