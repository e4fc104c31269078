"""What a dump file is, read without a server and without trust; restored into a server of our own.

A dump is SQL that somebody wrote. So nothing of it reaches a client that :mod:`dumps.lexer` did not split
and :mod:`dumps.statements` did not recognise as something that pg_dump writes.
"""
