"""Ready units for a nightly run. Pure: they are made of paths and a time, never of a connection string or
a secret.
"""
