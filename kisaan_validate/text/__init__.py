"""Texts as people and servers write them: read, cut, set side by side. Standard library only."""
