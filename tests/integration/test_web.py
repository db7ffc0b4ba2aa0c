"""The pages over HTTP: what they say, what they hide, and how they are served."""

import base64
import gzip
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import lxml.html
import pytest
from support.wire import URI, Receiver, Wire, running, story, until

from newswire_schemas.article import key_of

KEY = key_of(URI)
OTHER = "urn:newsml:test.example:2"
HTML = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
async def private(quick: None, redis_url: str) -> AsyncIterator[Wire]:
    async with running(redis_url, public=False) as started:
        yield started


async def page(wire: Wire, path: str, status: int = 200, **headers: str) -> Any:
    """Return a page as a tree; it must be HTML under our policy."""
    answer = await wire.anyone.get(path, headers=HTML | headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in answer.headers["content-security-policy"]
    return lxml.html.fromstring(answer.text)


def titles(tree: Any) -> list[str]:
    found: list[str] = tree.xpath("//h3/a/text()")
    return found


async def test_the_front_page_shows_the_newest_first_and_narrows_by_language_and_section(wire: Wire) -> None:
    await wire.submit(story(section="Local"))
    await wire.out()
    await wire.submit(story(OTHER, headline="Hafen offen", language="de-AT", section="Verkehr"))
    await wire.out(OTHER)
    assert titles(await page(wire, "/")) == ["Hafen offen", "Ferry returns"]
    assert titles(await page(wire, "/?language=de")) == ["Hafen offen"]
    assert titles(await page(wire, "/?section=local")) == ["Ferry returns"]
    assert titles(await page(wire, "/?language=de&section=Local")) == []

    async def offered() -> bool:
        links = (await page(wire, "/")).xpath("//nav[@class='rail']//a/@href")
        return {"/?language=de", "/?language=en", "/?section=Local", "/?section=Verkehr"} <= set(links)

    await until(offered, what="the page links to the languages and sections that there are")


async def test_pages_go_on_by_cursor_without_gap_or_repeat(wire: Wire) -> None:
    uris = [f"urn:newsml:test.example:n{number:02}" for number in range(45)]
    answer = await wire.http.post("/v1/articles", json={"items": [story(uri, headline=uri) for uri in uris]})
    assert answer.status_code == 202
    await wire.out(uris[-1])
    await until(lambda: _listed(wire, len(uris)), what="all came out")
    first = await page(wire, "/")
    (older,) = first.xpath("//a[@rel='next']/@href")
    second = await page(wire, older)
    assert sorted(titles(first) + titles(second)) == uris
    assert not second.xpath("//a[@rel='next']")
    assert second.xpath("//nav[@class='pager']/a/@href") == ["/"]


async def test_a_rare_section_is_reached_over_pages_that_end_early(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswire_publisher.web.front.SCANNED", 1)
    monkeypatch.setattr("newswire_publisher.web.front.STORIES", 1)
    await wire.submit(story(section="Rare"))
    await wire.out()
    await wire.submit(story(OTHER, section="Local"))
    await wire.out(OTHER)
    first = await page(wire, "/?section=rare")
    assert titles(first) == []
    (older,) = first.xpath("//a[@rel='next']/@href")
    assert titles(await page(wire, older)) == ["Ferry returns"]


async def _listed(wire: Wire, count: int) -> bool:
    return len(await wire.listed()) == count


async def test_every_link_of_a_page_leads_somewhere(wire: Wire) -> None:
    await wire.submit(story(section="Local"))
    await wire.out()
    await wire.submit(story(OTHER, evolved_from=URI))
    await wire.out(OTHER)
    assert (await wire.http.put("/v1/feeds/local", json={"title": "Local"})).status_code == 201
    links: set[str] = set()
    for path in ("/", "/feeds?sections=Local", f"/articles/{KEY}", f"/articles/{key_of(OTHER)}"):
        tree = await page(wire, path)
        tree.make_links_absolute(wire.url)
        links |= set(tree.xpath("//a/@href | //link/@href | //script/@src"))
        links |= {element.text_content() for element in tree.xpath("//*[@id='c-list']")}
    assert len(links) > 20
    for link in sorted(link for link in links if link.startswith(wire.url) and "#" not in link):
        assert (await wire.anyone.get(link)).status_code == 200, link


async def test_an_article_is_told_to_people_and_to_machines(wire: Wire) -> None:
    picture = {
        "type": "picture",
        "description": "The quay",
        "credit": "A. Photographer",
        "renditions": [{"href": "https://pictures.example/1.jpg", "width": 800, "height": 600}],
    }
    await wire.submit(story(byline="B. Writer", section="Local", summary="It is back.", associations=[picture]))
    await wire.out()
    tree = await page(wire, f"/articles/{KEY}")
    assert tree.xpath("//h1/text()") == ["Ferry returns"]
    assert tree.xpath("//link[@rel='canonical']/@href") == [f"{wire.url}/articles/{KEY}"]
    alternates = dict(zip(*[tree.xpath(f"//link[@rel='alternate']/@{name}") for name in ("type", "href")], strict=True))
    assert alternates["application/json"] == f"{wire.url}/v1/articles/{KEY}"
    assert alternates["application/rss+xml"] == f"{wire.url}/feeds/all.rss"
    assert tree.xpath("//figcaption//*[@class='credit']/text()") == ["A. Photographer"]
    assert tree.xpath("//meta[@property='og:title']/@content") == ["Ferry returns"]
    data = json.loads(tree.xpath("//script[@type='application/ld+json']/text()")[0])
    assert data["@type"] == "NewsArticle"
    assert (data["identifier"], data["headline"]) == (URI, "Ferry returns")
    assert data["author"] == {"@type": "Person", "name": "B. Writer"}
    assert data["image"][0]["creditText"] == "A. Photographer"
    assert titles(await page(wire, "/")) == ["Ferry returns"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (HTML["accept"], "text/html; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("text/html;q=0.5, application/ninjs+json", "application/ninjs+json"),
    ],
)
async def test_the_api_shows_the_page_to_who_prefers_html(wire: Wire, accept: str, kind: str) -> None:
    await wire.submit(story())
    await wire.out()
    answer = await wire.article(accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert "accept" in answer.headers["vary"].lower()
    if "html" in kind:
        assert answer.text == (await wire.anyone.get(f"/articles/{KEY}")).text


async def test_hostile_text_stays_text(wire: Wire) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    await wire.submit(
        story(
            headline=evil,
            summary=evil,
            section='"><b>',
            ed_note=evil,
            keywords=[evil],
            body_html=f"<h1>Head</h1><p onclick='x()'>Text {evil}<a href='javascript:alert(3)'>link</a></p>",
            associations=[{"description": evil, "renditions": [{"href": 'https://e.example/" onload="x'}]}],
            links=[{"href": "javascript:alert(4)"}],
        )
    )
    await wire.out()
    for path in ("/", f"/articles/{KEY}", "/feeds?words=ferry&sections=%22%3E%3Cb%3E", f"/feeds?words={evil}"):
        tree = await page(wire, path)
        assert {script.get("src") or script.get("type") for script in tree.xpath("//script")} <= {
            "application/ld+json",
            *tree.xpath("//script/@src[starts-with(., '/static/')]"),
        }
        assert not tree.xpath("//@*[starts-with(name(), 'on')]")
        assert not tree.xpath("//@style")
        assert not tree.xpath("//a[starts-with(@href, 'javascript')]")
    tree = await page(wire, f"/articles/{KEY}")
    assert len(tree.xpath("//h1")) == 1
    assert json.loads(tree.xpath("//script[@type='application/ld+json']/text()")[0])["headline"] == evil


async def test_versions_tell_what_changed_numbers_first(wire: Wire) -> None:
    await wire.submit(story(body_text="The ferry carries 600 people."))
    await wire.out()
    await wire.submit(story(version=2, body_text="The ferry carries 650 people.", ed_note="Corrects the number."))
    await wire.out(version=2)
    answer = await wire.anyone.get(f"/v1/articles/{KEY}/versions")
    second, first = answer.json()["items"]
    assert (second["version"], second["act"], second["ed_note"]) == (2, "correction", "Corrects the number.")
    assert second["changes"]["numbers"][-1] == {"field": "body", "before": "600", "after": "650"}
    assert second["changes"]["texts"][-1]["diff"][1:3] == [
        {"op": "delete", "text": "600"},
        {"op": "insert", "text": "650"},
    ]
    assert (first["version"], first["act"], first["changes"]) == (1, "new", None)
    assert first["article"]["body_text"] == "The ferry carries 600 people."
    assert first["time"] <= second["time"]
    one = (await wire.anyone.get(f"/v1/articles/{KEY}/versions?limit=1")).json()
    rest = (await wire.anyone.get(f"/v1/articles/{KEY}/versions", params={"cursor": one["cursor"]})).json()
    assert [each["version"] for each in one["items"] + rest["items"]] == [2, 1]
    assert "cursor" not in rest
    assert (await wire.anyone.get(f"/v1/articles/{KEY}/versions?cursor=x")).status_code == 422
    tree = await page(wire, f"/articles/{KEY}")
    diff = tree.xpath("//section[@class='versions']//p[@class='diff']")[-1]
    assert [part.tag for part in diff.xpath("del|ins")] == ["del", "ins"]
    assert "Corrects the number." in tree.xpath("//aside[@class='correction']")[0].text_content()
    assert tree.xpath("//ul[@class='figures']/li[last()]")[0].text_content().split() == [
        "before:",
        "600",
        "now:",
        "650",
        "body",
    ]


async def test_an_embargoed_version_is_in_no_page(wire: Wire) -> None:
    until_then = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await wire.submit(story(section="Local"))
    await wire.out()
    await wire.submit(story(version=2, headline="Secret", section="Hidden", embargoed_until=until_then))
    await wire.submit(story(OTHER, headline="Secret too", section="Hidden", language="pl", embargoed_until=until_then))
    await wire.settled()
    listed = (await wire.anyone.get(f"/v1/articles/{KEY}/versions")).json()["items"]
    assert [each["version"] for each in listed] == [1]
    for path in ("/", f"/articles/{KEY}", "/feeds?sections=Hidden"):
        answer = await wire.anyone.get(path, headers=HTML)
        assert "Secret" not in answer.text
        assert "pl" not in re.findall(r'hreflang="(\w+)"', answer.text)
    unknown = await wire.anyone.get(f"/articles/{key_of('urn:nobody:knows')}", headers=HTML)
    for path in (f"/articles/{key_of(OTHER)}", f"/articles?uri={OTHER}"):
        held = await wire.anyone.get(path, headers=HTML)
        assert (held.status_code, held.text) == (404, unknown.text)
    assert (await wire.anyone.get(f"/v1/articles/{key_of(OTHER)}/versions")).status_code == 404
    tried = await wire.anyone.post("/v1/feeds/dry-run", json={"filter": {"sections": ["Hidden"]}})
    assert tried.json() == {"days": 1, "scanned": 1, "matched": 0, "items": [], "truncated": False}


async def test_a_killed_article_is_gone_with_its_notice_and_its_versions(wire: Wire) -> None:
    await wire.submit(story(headline="Wrong claim"))
    await wire.out()
    await wire.desk("kill", note="The claim was wrong.")
    await wire.settled()
    tree = await page(wire, f"/articles/{KEY}", 410)
    assert "The claim was wrong." in tree.text_content()
    assert "Wrong claim" not in tree.text_content()
    assert titles(await page(wire, "/")) == []
    assert (await wire.anyone.get(f"/v1/articles/{KEY}/versions")).status_code == 410
    assert (await wire.anyone.get(f"/v1/articles/{KEY}", headers=HTML)).status_code == 410


async def test_what_was_withdrawn_stays_out_of_the_versions_when_the_article_comes_back(wire: Wire) -> None:
    await wire.submit(story(body_text="The false claim."))
    await wire.out()
    await wire.desk("withhold")
    await wire.settled()
    await wire.submit(story(version=9, body_text="The corrected story."))
    await wire.out(version=9)
    listed = (await wire.anyone.get(f"/v1/articles/{KEY}/versions")).json()["items"]
    assert [each["version"] for each in listed] == [9]
    assert "false claim" not in (await wire.anyone.get(f"/articles/{KEY}", headers=HTML)).text


async def test_a_rewrite_is_linked_both_ways_until_one_is_killed(wire: Wire) -> None:
    await wire.submit(story())
    await wire.out()
    await wire.submit(story(OTHER, headline="The whole story", evolved_from=URI))
    await wire.out(OTHER)
    assert (await page(wire, f"/articles/{KEY}")).xpath("//aside[@class='related']//a/@href") == [
        f"/articles/{key_of(OTHER)}"
    ]
    assert (await page(wire, f"/articles/{key_of(OTHER)}")).xpath("//aside[@class='related']//a/@href") == [
        f"/articles/{KEY}"
    ]
    await wire.desk("kill", OTHER)
    await wire.settled()
    assert not (await page(wire, f"/articles/{KEY}")).xpath("//aside[@class='related']")


async def test_a_story_is_written_in_its_own_direction(wire: Wire) -> None:
    await wire.submit(story(language="ar", headline="عودة العبّارة"))
    await wire.out()
    tree = await page(wire, f"/articles/{KEY}")
    assert tree.xpath("//h1/@lang | //h1/@dir") == ["ar", "rtl"]
    assert tree.xpath("//html/@lang") == ["en"]
    listed = await page(wire, "/?language=ar")
    assert listed.xpath("//div[@class='days']/@dir") == ["rtl"]


async def test_the_directory_lists_public_feeds_alone(wire: Wire) -> None:
    for name, access in (("sport", "public"), ("paid", "token")):
        feed = {"title": name.title(), "access": access, "filter": {"sections": [name]}}
        assert (await wire.http.put(f"/v1/feeds/{name}", json=feed)).status_code == 201
    tree = await page(wire, "/feeds")
    assert tree.xpath("//ul[@class='feeds']/li/h2/text()") == ["All stories", "Sport"]
    assert "/feeds/sport.rss" in tree.xpath("//p[@class='formats']/a/@href")
    tried = await page(wire, "/feeds?sections=Sport")
    assert "This is the feed" in tried.text_content()
    hidden = await page(wire, "/feeds?sections=paid")
    assert "This is the feed" not in hidden.text_content()


async def test_the_builder_shows_the_filter_and_what_it_would_have_carried(wire: Wire) -> None:
    await wire.submit(story())
    await wire.out()
    await wire.submit(story(OTHER, headline="Hafen offen", language="de"))
    await wire.out(OTHER)
    tree = await page(wire, "/feeds?languages=de, fr&exclude=krieg&urgency=5&name=my-de")
    copied = {element.get("id"): element.text_content() for element in tree.xpath("//pre")}
    wanted = {"languages": ["de", "fr"], "urgency": 5, "exclude": {"words": ["krieg"]}}
    assert json.loads(copied["c-filter"]) == wanted
    assert copied["c-command"].startswith("newswire feed set my-de --title my-de --filter '{")
    assert copied["c-feed"] == f"{wire.url}/feeds/my-de.rss"
    assert tree.xpath("//h2[@id='result-title']/text()") == ["1 story in the last day"]
    assert tree.xpath("//h4/a/text()") == ["Hafen offen"]
    listed = await wire.anyone.get(copied["c-list"])
    assert [item["headline"] for item in listed.json()["items"]] == ["Hafen offen"]
    async with wire.anyone.stream("GET", copied["c-live"]) as live:
        assert live.headers["content-type"].startswith("text/event-stream")
    wrong = await page(wire, "/feeds?languages=no+tag&urgency=x")
    assert wrong.xpath("//input[@aria-invalid]/@name") == ["languages"]
    assert wrong.xpath("//h2[@id='result-title']/text()") == ["That is no filter yet"]


async def test_a_dry_run_counts_what_a_filter_matches(wire: Wire) -> None:
    await wire.submit(story())
    await wire.out()
    tried = await wire.anyone.post("/v1/feeds/dry-run", json={"filter": {"words": ["ferry"]}, "days": 2})
    found = tried.json()
    assert (found["days"], found["scanned"], found["matched"], found["truncated"]) == (2, 1, 1, False)
    assert [item["uri"] for item in found["items"]] == [URI]
    bad = await wire.anyone.post("/v1/feeds/dry-run", json={"filter": {"tpoics": []}})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/filter/tpoics")


async def test_an_unchanged_page_is_304_and_compressed_for_who_takes_it(wire: Wire) -> None:
    await wire.submit(story())
    await wire.out()
    plain = await wire.anyone.get("/", headers={"accept-encoding": "identity"})
    assert plain.headers["cache-control"] == "no-cache"
    async with wire.anyone.stream("GET", "/", headers={"accept-encoding": "gzip"}) as zipped:
        body = b"".join([part async for part in zipped.aiter_raw()])
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain.content
    assert zipped.headers["etag"] != plain.headers["etag"]
    again = await wire.anyone.get("/", headers={"accept-encoding": "identity", "if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await wire.anyone.head("/", headers={"accept-encoding": "identity"})
    assert (head.status_code, head.headers["etag"], head.content) == (200, plain.headers["etag"], b"")
    await wire.submit(story(version=2, headline="Ferry returns at last"))
    await wire.out(version=2)
    changed = await wire.anyone.get("/", headers={"if-none-match": plain.headers["etag"]})
    assert changed.status_code == 200


async def test_files_are_small_and_kept_for_ever_and_errors_look_like_pages(wire: Wire) -> None:
    tree = await page(wire, "/")
    (style,) = tree.xpath("//link[@rel='stylesheet']/@href")
    answer = await wire.anyone.get(style)
    assert "immutable" in answer.headers["cache-control"]
    assert len(answer.content) < 15_000
    for script in tree.xpath("//script/@src"):
        assert (await wire.anyone.get(script)).headers["content-type"].startswith("text/javascript")
    missing = await page(wire, "/nothing/here", 404)
    assert missing.xpath("//h1/text()") == ["There is no such page"]
    await page(wire, "/?language=!", 404)
    await page(wire, "/?cursor=!", 422)
    machine = await wire.anyone.get("/nothing/here")
    assert machine.headers["content-type"] == "application/problem+json"
    assert (await wire.anyone.get("/v1/nothing", headers=HTML)).headers["content-type"] == "application/problem+json"
    robots = (await wire.anyone.get("/robots.txt")).text
    assert "Disallow: /v1/" in robots
    assert (await wire.anyone.get("/favicon.ico")).headers["content-type"].startswith("image/svg+xml")


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/ninjs+json",
        "application/vnd.iptc.g2.newsitem+xml",
        "application/ninjs+json, application/json;q=0.5",
        "application/json, text/plain, */*",
        "text/html;q=0.2, application/json",
    ],
)
async def test_an_articles_link_answers_machines_with_what_the_api_does(wire: Wire, accept: str) -> None:
    await wire.submit(story())
    await wire.out()

    answers = [
        await wire.anyone.get(f"{path}/{KEY}", headers={"accept": accept}) for path in ("/articles", "/v1/articles")
    ]

    kinds = [answer.headers["content-type"] for answer in answers]
    assert kinds[0] == kinds[1]
    assert kinds[0].startswith(accept.partition(",")[0] if "html" not in accept else "application/json")
    assert answers[0].content == answers[1].content
    assert "accept" in answers[0].headers["vary"].lower()


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/html, application/json",
        "application/activity+json",
        "application/json;q=0.1, */*",
        "",
    ],
)
async def test_an_articles_link_answers_everybody_else_with_its_page(wire: Wire, accept: str) -> None:
    await wire.submit(story())
    await wire.out()

    answer = await wire.anyone.get(f"/articles/{KEY}", headers={"accept": accept})

    assert answer.headers["content-type"].startswith("text/html")
    assert "Accept" in answer.headers["vary"].split(", ")


async def test_a_thin_pushs_link_is_read_as_json_and_after_a_kill_tells_of_it(wire: Wire, receiver: Receiver) -> None:
    json_ = {"accept": "application/json"}
    await wire.hook(url=receiver.script("hook"), format="thin")
    await wire.submit(story())
    link = (await receiver.got("hook", 1))[0].message["data"]["link"].replace("http://127.0.0.1:0", wire.url)
    assert (await wire.anyone.get(link, headers=json_)).json()["headline"] == "Ferry returns"

    await wire.desk("kill", note="Wrong.")
    await receiver.got("hook", 2)

    killed = await wire.anyone.get(link, headers=json_)
    assert (killed.status_code, killed.json()["act"], killed.headers["vary"]) == (410, "kill", "Accept")
    unknown = await wire.anyone.get("/articles/nothing", headers=json_)
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")


async def test_on_a_private_wire_an_articles_link_takes_the_token_of_a_machine(private: Wire) -> None:
    await private.submit(story())
    await private.settled()
    json_ = {"accept": "application/json"}
    token = (await private.http.post("/v1/tokens", json={"role": "subscriber", "name": "reader"})).json()["token"]

    answers = [
        await private.anyone.get(f"/articles/{KEY}", headers=json_ | more)
        for more in ({}, {"authorization": f"Bearer {token}"})
    ]

    assert [answer.status_code for answer in answers] == [401, 200]
    assert "Ferry" not in answers[0].text


async def test_a_private_wire_asks_for_a_token_and_lists_nothing_without(private: Wire) -> None:
    await private.submit(story())
    await private.settled()
    made = await private.http.post("/v1/tokens", json={"role": "subscriber", "name": "reader"})
    basic = base64.b64encode(f"anyone:{made.json()['token']}".encode()).decode()
    source = (await private.http.post("/v1/tokens", json={"role": "source", "name": "desk"})).json()["token"]
    for path in ("/", f"/articles/{KEY}", "/feeds", f"/v1/articles/{KEY}"):
        refused = await private.anyone.get(path, headers=HTML)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert "Ferry" not in refused.text
        assert "token" in refused.text
        wrong = await private.anyone.get(path, headers=HTML | {"authorization": "Basic eDp5"})
        assert wrong.status_code == 401
        let_in = await private.anyone.get(path, headers=HTML | {"authorization": f"Basic {basic}"})
        assert let_in.status_code == 200
        assert let_in.headers["cache-control"] == "private, no-cache"
        assert "authorization" in let_in.headers["vary"].lower()
        assert "set-cookie" not in let_in.headers
        assert (await private.anyone.get(path, headers=HTML | {"authorization": f"Bearer {source}"})).status_code == 403
    assert (await private.anyone.get(f"/v1/articles/{KEY}/versions")).status_code == 401
    assert (await private.anyone.post("/v1/feeds/dry-run", json={})).status_code == 401
    assert (await private.anyone.get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("path", ["/console", "/console/new", "/console/wh_0123456789abcdef", "/console/wh_a/edit"])
async def test_the_console_is_the_same_page_for_everybody(private: Wire, path: str) -> None:
    tree = await page(private, path)
    assert tree.xpath("//input[@id='token']")
    assert "needs JavaScript" in tree.xpath("string(//noscript)")
    answer = await private.anyone.get(path, headers=HTML)
    assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await private.http.get(path, headers=HTML)).content == answer.content
    for address in tree.xpath("//script/@src | //link[@rel='stylesheet']/@href"):
        assert (await private.anyone.get(address)).status_code == 200


async def test_the_console_has_no_page_for_what_is_no_id(wire: Wire) -> None:
    await page(wire, "/console/passwd", 404)
    await page(wire, "/console/wh_0123456789abcdef/keys", 404)


@pytest.mark.parametrize("role", ["operator", "source", "integrator", "subscriber"])
async def test_a_token_is_told_whose_it_is(wire: Wire, role: str) -> None:
    made = await wire.http.post("/v1/tokens", json={"role": role, "name": "north"})
    mine = {"Authorization": f"Bearer {made.json()['token']}"}
    assert (await wire.anyone.get("/v1/tokens/self", headers=mine)).json() == {"role": role, "name": "north"}
    assert (await wire.anyone.get("/v1/tokens/self")).status_code == 401
