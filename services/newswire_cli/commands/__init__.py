"""The commands that talk to running services, one module a user."""
