"""An article as schema.org's NewsArticle, in JSON-LD."""

import json
from typing import Any

from markupsafe import Markup

from newswire_publisher.web.site import iso
from newswire_publisher.web.story import Story

# In a script element only these could end it or begin a comment (HTML section 13.1.2.1).
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def news_article(story: Story, base_url: str) -> dict[str, Any]:
    """Return the article's NewsArticle (https://schema.org/NewsArticle), without what it does not have."""
    article = story.article
    page = base_url + story.path
    found = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": page,
        "identifier": article.uri,
        "url": page,
        "mainEntityOfPage": page,
        "headline": story.title,
        "description": story.summary,
        "inLanguage": article.language,
        "datePublished": iso(story.row.published) if story.row.published else None,
        "dateModified": iso(story.row.moment),
        "author": {"@type": "Person", "name": article.byline} if article.byline else None,
        "publisher": {"@type": "NewsMediaOrganization", "name": article.source} if article.source else None,
        "dateline": article.dateline.text if article.dateline else None,
        "locationCreated": {"@type": "Place", "name": story.place} if story.place else None,
        "articleSection": article.section,
        "genre": [genre.name for genre in article.genres if genre.name],
        "keywords": list(article.keywords),
        "about": [_thing("Thing", subject.name) for subject in article.subjects if subject.name],
        "mentions": [
            *(_thing("Person", person.name) for person in article.people if person.name),
            *(_thing("Organization", each.name) for each in article.organisations if each.name),
        ],
        "contentLocation": [_thing("Place", place.name) for place in article.places if place.name],
        "image": [_image(figure) for figure in story.figures if figure.is_picture],
        "copyrightHolder": _thing("Organization", article.copyright_holder) if article.copyright_holder else None,
        "copyrightNotice": article.usage_terms,
        "version": article.version,
        "correction": {"@type": "CorrectionComment", "text": story.note, "datePublished": iso(story.row.moment)}
        if story.note and story.corrected
        else None,
        "isBasedOn": article.evolved_from,
    }
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def script_of(data: dict[str, Any]) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    return Markup(json.dumps(data, ensure_ascii=False).translate(_ESCAPES))  # noqa: S704 - escaped just here


def _thing(kind: str, name: str) -> dict[str, str]:
    return {"@type": kind, "name": name}


def _image(figure: Any) -> dict[str, Any]:
    found = {
        "@type": "ImageObject",
        "url": figure.href,
        "width": figure.file.width,
        "height": figure.file.height,
        "caption": figure.media.description or figure.media.headline,
        "creditText": figure.media.credit,
        "copyrightNotice": figure.media.copyright_notice,
    }
    return {name: value for name, value in found.items() if value}
