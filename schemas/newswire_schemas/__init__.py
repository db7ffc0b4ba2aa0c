"""What crosses a process boundary: the content model, events, filters and key names. Imports pydantic only."""
