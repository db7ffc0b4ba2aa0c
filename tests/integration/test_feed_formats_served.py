"""Every format as the running wire serves it: the feed, and NewsML-G2 of one article."""

import pytest
from support.feed_rules import broken
from support.wire import URI, Wire, story, until

from newswire_publisher.feeds.formats.registry import FORMATS

NEWSML = "application/vnd.iptc.g2.newsitem+xml"


async def gone(wire: Wire, uri: str) -> None:
    async def withdrawn() -> bool:
        return (await wire.article(uri)).status_code == 410

    await until(withdrawn, what=f"{uri} is withdrawn")
    await wire.settled()


@pytest.mark.parametrize("extension", FORMATS)
async def test_a_feed_keeps_its_standard_before_and_after_a_correction_and_a_kill(wire: Wire, extension: str) -> None:
    killed = "urn:newsml:test.example:2"
    await wire.submit(story(body_html="<p>Hallo <b>Welt</b> &amp; <a href='/x'>mehr</a></p>", byline="Ann Lee"))
    await wire.submit(story(killed))
    await wire.out()
    await wire.out(killed)
    await wire.submit(story(headline="Ferry returns at last", ed_note="CORRECTS the headline"))
    await wire.out(version=2)
    address = f"/feeds/all.{extension}"
    first = await wire.anyone.get(address)
    assert first.headers["content-type"] == FORMATS[extension].media_type
    assert broken(extension, first.content) == []
    assert "CORRECTS the headline" in first.text

    await wire.desk("kill", killed, "WRONG in every word")
    await gone(wire, killed)
    second = await wire.anyone.get(address)
    assert broken(extension, second.content) == []
    assert "WRONG in every word" in second.text
    assert second.headers["etag"] != first.headers["etag"]


async def test_an_article_is_newsml_for_who_asks_for_it_and_gone_after_a_kill(wire: Wire) -> None:
    await wire.submit(story(byline="Ann Lee"))
    await wire.out()
    answer = await wire.article(accept=NEWSML)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{NEWSML}; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    assert broken("newsml", answer.content) == []
    assert URI in answer.text
    assert (await wire.article(accept="image/png")).status_code == 406
    await wire.desk("kill", note="WRONG")
    await gone(wire, URI)
    assert (await wire.article(accept=NEWSML)).status_code == 410
