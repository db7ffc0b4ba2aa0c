"""Adds what can be known about an article, step by step."""
