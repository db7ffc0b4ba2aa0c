"""The publisher's HTTP interface."""
