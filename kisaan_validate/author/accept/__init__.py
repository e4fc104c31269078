"""What a contract changed is written into the suite's declarations, as a diff for a person to review."""
