"""The formats that feeds are served in, by the extension of their address."""

from collections.abc import Mapping

from newswire_publisher.feeds.formats.atom import Atom
from newswire_publisher.feeds.formats.jsonfeed import JsonFeed
from newswire_publisher.feeds.formats.newsml import NewsMl
from newswire_publisher.feeds.formats.ninjs import Ninjs
from newswire_publisher.feeds.formats.page import FeedFormat
from newswire_publisher.feeds.formats.rss import Rss

FORMATS: Mapping[str, FeedFormat] = {each.extension: each for each in (Rss(), Atom(), JsonFeed(), Ninjs(), NewsMl())}
