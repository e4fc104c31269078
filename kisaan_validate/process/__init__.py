"""What this process is asked to do by signals, and what it tells the process that watches it."""
