"""Backups: taken with a baseline of the same snapshot, restored, compared, certified."""
