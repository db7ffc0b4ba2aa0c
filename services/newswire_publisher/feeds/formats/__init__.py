"""What a feed looks like in each format: one module a format, one line in the registry."""
