"""Build the publisher's parts for `app.py`: only these construct objects."""
