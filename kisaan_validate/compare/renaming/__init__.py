"""One side of a comparison under the names of the other: tables and columns that were renamed, and what
follows from it.
"""
