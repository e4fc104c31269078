"""One strict reader for every TOML file that people write, and the JSON Schema of each for their editors."""
