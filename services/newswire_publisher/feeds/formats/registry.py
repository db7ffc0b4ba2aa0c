"""The formats that feeds are served in, by the extension of their address."""

from collections.abc import Mapping

from newswire_publisher.feeds.formats.page import FeedFormat
from newswire_publisher.feeds.formats.rss import Rss

FORMATS: Mapping[str, FeedFormat] = {each.extension: each for each in (Rss(),)}
