"""Suites that are written for people: drafted from a database, or imported from other tools."""
