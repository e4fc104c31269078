"""``python -m kisaan_validate``."""

from kisaan_validate.cli.main import entry

if __name__ == "__main__":
    entry()
