"""The lists of feeds and of recent stories."""

from datetime import UTC, datetime, timedelta

from lxml import etree
from support.wire import Wire, running, story

from newswire_schemas.article import key_of

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


async def test_opml_lists_the_public_feeds_and_no_other(wire: Wire) -> None:
    await wire.http.put("/v1/feeds/paid", json={"title": "Paid", "access": "token"})
    await wire.http.put("/v1/feeds/sport", json={"title": 'Sport & "more"', "language": "de"})
    answer = await wire.anyone.get("/feeds.opml")
    assert answer.headers["content-type"].startswith("text/x-opml")
    outlines = etree.fromstring(answer.content).findall("body/outline")
    assert [outline.get("text") for outline in outlines] == ["All stories", 'Sport & "more"']
    for outline in outlines:
        feed = await wire.anyone.get(outline.get("xmlUrl") or "")
        assert feed.status_code == 200
        assert feed.headers["content-type"].startswith("application/rss+xml")
    again = await wire.anyone.get("/feeds.opml", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_the_news_sitemap_has_what_is_public_and_leaks_no_embargo(wire: Wire) -> None:
    await wire.submit(story("urn:a:1", headline="R&D <now>", language="de-AT"))
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await wire.submit(story("urn:a:2", embargoed_until=later))
    await wire.submit(story("urn:a:3"))
    await wire.settled()
    await wire.desk("kill", "urn:a:3")
    await wire.settled()
    answer = await wire.anyone.get("/sitemap-news.xml")
    urls = etree.fromstring(answer.content).findall(f"{SITEMAP}url")
    assert [url.findtext(f"{SITEMAP}loc", "").rpartition("/")[2] for url in urls] == [key_of("urn:a:1")]
    assert urls[0].findtext(f"{NEWS}news/{NEWS}title") == "R&D <now>"
    assert urls[0].findtext(f"{NEWS}news/{NEWS}publication/{NEWS}language") == "de"


async def test_more_than_a_thousand_stories_become_an_index_of_pages(wire: Wire) -> None:
    for start in range(0, 1_100, 275):
        items = [story(f"urn:a:{number}") for number in range(start, start + 275)]
        assert (await wire.http.post("/v1/articles", json=items)).status_code == 202
    await wire.settled()
    index = etree.fromstring((await wire.anyone.get("/sitemap-news.xml")).content)
    pages = [loc.text or "" for loc in index.iter(f"{SITEMAP}loc")]
    assert len(pages) == 2
    counts = [len(etree.fromstring((await wire.anyone.get(page)).content)) for page in pages]
    assert counts == [1_000, 100]
    assert (await wire.anyone.get("/sitemap-news.xml?page=3")).status_code == 404


async def test_a_wire_that_is_not_public_has_no_directory(quick: None, redis_url: str) -> None:
    async with running(redis_url, public=False) as wire:
        for path in ("/feeds.opml", "/sitemap-news.xml"):
            assert (await wire.anyone.get(path)).status_code == 404
