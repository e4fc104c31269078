"""Runs statements inside one exported snapshot: workers, isolation of a culprit, cancellation."""
