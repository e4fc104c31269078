"""What is kept of a run: versioned JSON files, written whole or not at all."""
