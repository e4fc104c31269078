"""The command line: one module a command, one function that decides the exit code."""
