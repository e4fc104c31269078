"""Servers of our own: made, filled, cloned and erased; the only place that writes to a database."""
