"""What people and machines read of a run: terminal, HTML page, and other forms. No database."""
