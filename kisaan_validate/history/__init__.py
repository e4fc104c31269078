"""What many runs of one suite on one database say together: which failures are new, known, fixed."""
