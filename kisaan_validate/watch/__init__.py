"""How others notice that no run came: pings, the age of the last run, metrics and alert rules."""
