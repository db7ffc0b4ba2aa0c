"""One post queue per social account."""
