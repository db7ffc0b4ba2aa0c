"""RSS feeds: what each holds, and its documents."""
