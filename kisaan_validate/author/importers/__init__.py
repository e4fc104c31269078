"""Suites of other tools become ours. Pure translation: no database, no network; what has no counterpart is
said, with why.
"""
