"""The exact comparison of two live sides, row by row."""
