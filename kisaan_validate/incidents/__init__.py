"""Which of a night's findings are news: new, worse, fixed, still failing; one message a run. Pure."""
