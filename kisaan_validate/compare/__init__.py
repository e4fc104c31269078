"""Before and after, compared as facts: pure functions."""
