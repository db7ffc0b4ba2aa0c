"""Which sinks an article goes to."""
