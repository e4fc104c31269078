"""Sending messages: mail, webhooks, a spool that survives a crash, and what was told before."""
