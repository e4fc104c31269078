"""Around a run: configuration, doctor, schedules, the demonstration."""
