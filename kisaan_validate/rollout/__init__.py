"""A runbook as a file: what to do now and why, who did what, and whether the result can be signed."""
