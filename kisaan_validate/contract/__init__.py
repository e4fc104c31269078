"""What a migration promises: declared, measured before and after, and judged promise by promise."""
