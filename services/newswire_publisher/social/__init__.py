"""Social: one post queue per account, emptied by posters that lease and settle."""
