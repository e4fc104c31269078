"""A runbook as a file: what is to be done now and why, who did what, and whether the end may be signed."""
