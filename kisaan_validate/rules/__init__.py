"""Rules: one small class for each way an invariant can be proved.

A rule knows what it needs and how it is written in SQL (as SQLAlchemy expressions); it knows neither
connections nor results. Its ``form`` decides what it may share a statement with.
"""
