"""The XML namespaces of our RSS, declared once on the root of a document; entries rely on these prefixes."""

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"

NAMESPACES = {"atom": ATOM, "content": CONTENT, "dc": DC, "media": MEDIA}

DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"
"""The XML declaration, as lxml writes it."""
