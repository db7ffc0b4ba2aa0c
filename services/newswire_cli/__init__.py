"""The newswire command."""
