"""Media RSS (https://www.rssboard.org/media-rss), as RSS and Atom both carry it."""

from typing import Any

from newswire_publisher.feeds.formats.content import File
from newswire_publisher.feeds.formats.xml import MEDIA, add


def add_media_content(parent: Any, file: File) -> None:
    """Append a file with its title, description, credit and copyright, directly in the item."""
    content = add(
        parent,
        f"{{{MEDIA}}}content",
        url=file.href,
        type=file.media_type,
        medium=file.medium,
        width=file.width,
        height=file.height,
        fileSize=file.size,
    )
    add(content, f"{{{MEDIA}}}title", file.media.headline)
    add(content, f"{{{MEDIA}}}description", file.media.description)
    add(content, f"{{{MEDIA}}}credit", file.media.credit)
    add(content, f"{{{MEDIA}}}copyright", file.media.copyright_notice)
