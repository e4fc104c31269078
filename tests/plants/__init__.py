"""Planted violations: for every check of the suite, SQL that breaks exactly what the check looks for.

``planters`` break what the suite generates (types, missing values, references, ...) in one way for each
kind of rule; ``by_hand`` holds the rest. A check that neither knows fails the tests: no check without a
proof that it can fail.
"""
