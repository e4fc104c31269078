"""What a contract or a baseline must have measured becomes statements. Pure.

``of_contract`` and ``whole`` are the ways in; ``rows`` has what is kept of single rows. Each takes a table
as one side has it (``side``), and after a migration also what the baseline knows of it (``past``).
"""
