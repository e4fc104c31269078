"""SQL as text: expressions that rules are built of, and what author-written SQL may say."""
