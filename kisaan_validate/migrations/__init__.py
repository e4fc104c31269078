"""Folders of migrations, held against the ledgers in which their runners write them down."""
