"""Folders of migrations, compared with the ledgers in which their runners record them."""
