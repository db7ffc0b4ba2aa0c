"""Takes articles in, settles their identity and version, and makes them durable."""
