"""What tests share beside fixtures; `tests` is on their import path."""
