"""One module per input format, behind one registry."""
