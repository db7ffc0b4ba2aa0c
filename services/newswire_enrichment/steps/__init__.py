"""One module per enrichment step."""
