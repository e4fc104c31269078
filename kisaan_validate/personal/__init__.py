"""Which columns are personal, what is made of them, and how they are masked."""
