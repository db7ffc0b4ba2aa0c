"""What the pages decide: directions, filters from forms, excerpts of changes, data that cannot leave its element."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newswire_publisher.articles.negotiation import prefers_html
from newswire_publisher.articles.store import Row
from newswire_publisher.articles.words import Part
from newswire_publisher.web.assets import load_assets
from newswire_publisher.web.builder import build
from newswire_publisher.web.console import NOTICES
from newswire_publisher.web.languages import direction_of, name_of
from newswire_publisher.web.linked_data import news_article, script_of
from newswire_publisher.web.story import Story, shortened
from newswire_publisher.webhooks.wanted import NOTICE_TYPES
from newswire_schemas.article import Act, Article
from newswire_schemas.filters import Filter

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def made(act: Act = Act.NEW, later: timedelta = timedelta(), **fields: Any) -> Story:
    given = {"uri": "urn:test:1", "version": 1, "version_created": NOW, "first_created": NOW}
    return Story(Row(Article(**given | fields), act, "show", NOW, NOW + later, "operator"))


@pytest.mark.parametrize(
    ("tag", "direction"),
    [
        ("ar", "rtl"),
        ("fa-IR", "rtl"),
        ("he", "rtl"),
        ("ur", "rtl"),
        ("ckb", "rtl"),
        ("ku-Arab", "rtl"),
        ("az-Arab-IR", "rtl"),
        ("ar-Latn", "ltr"),
        ("de-AT", "ltr"),
        ("zh-Hant", "ltr"),
        (None, "auto"),
    ],
)
def test_direction_follows_the_script_then_the_language(tag: str | None, direction: str) -> None:
    assert direction_of(tag) == direction


def test_languages_have_their_own_names() -> None:
    assert (name_of("de-AT"), name_of("zh-Hant"), name_of("tlh")) == ("Deutsch", "中文", "tlh")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("TEXT/HTML", True),
        ("*/*", False),
        ("", False),
        ("application/json, text/html", False),
        ("application/json;q=0.5, text/html", True),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("text/html;q=0.5, */*", False),
        ("application/vnd.iptc.g2.newsitem+xml, text/html;q=0.5", False),
    ],
)
def test_a_page_is_for_who_prefers_html(accept: str, wanted: bool) -> None:
    assert prefers_html(accept) is wanted


def test_a_form_becomes_a_filter_with_every_script_s_commas() -> None:
    built = build({"languages": "de , zh-hant", "words": "北京，上海、广州", "places": "بيروت، صور", "exclude": "war"})
    assert built.filter == Filter(
        languages=("de", "zh-Hant"),
        words=("北京", "上海", "广州"),
        places=("بيروت", "صور"),
        exclude=Filter(words=("war",)),
    )
    assert json.loads(built.json) == built.filter.model_dump(mode="json", exclude_defaults=True)


def test_an_empty_form_takes_everything() -> None:
    built = build({})
    assert (built.filter, built.json, built.days, built.errors) == (Filter(), "{}", 1, {})


def test_what_cannot_be_read_is_named_and_kept() -> None:
    built = build({"languages": "no tag", "urgency": "12", "name": "A B", "days": "999", "words": "kept"})
    assert built.filter is None
    assert set(built.errors) == {"languages", "urgency", "name"}
    assert built.values["words"] == "kept"
    assert built.days == 1


def test_commands_survive_a_shell_with_any_value() -> None:
    built = build({"words": "it's $(rm -rf ~) `x`"})
    words = shlex.split(built.command)
    assert json.loads(words[words.index("--filter") + 1]) == {"words": ["it's $(rm -rf ~) `x`"]}
    call = shlex.split(built.call("https://wire.example").replace("\\\n", ""))
    assert json.loads(call[call.index("-d") + 1])["filter"] == {"words": ["it's $(rm -rf ~) `x`"]}


def test_unchanged_text_is_cut_to_what_stands_beside_a_change() -> None:
    long = "word " * 100
    first, _, _, last = shortened((Part("equal", long), Part("delete", "a"), Part("insert", "b"), Part("equal", long)))
    assert first.text.startswith("… word")
    assert first.text.endswith("word ")
    assert last.text.endswith("word … ")
    assert max(len(first.text), len(last.text)) < 100
    around = (Part("delete", "a"), Part("equal", "short"), Part("insert", "b"))
    assert shortened(around) == list(around)


def test_a_first_version_s_note_is_for_editors_only() -> None:
    assert made(ed_note="Mind the name").note is None
    assert made(Act.CORRECTION, version=2, ed_note="Corrects").note == "Corrects"


def test_a_story_without_headline_still_has_a_name() -> None:
    assert made(slugline="ferry-back").title == "ferry-back"
    assert made(body_text="The ferry is back. " * 20).title.startswith("The ferry")
    assert made().title == "urn:test:1"


def test_a_body_keeps_its_sense_and_loses_what_acts() -> None:
    body = made(body_html="<h1>A</h1><script>x</script><img src='https://e.example/1'><table><tr><td>1</table>").body
    assert "<h2>A</h2>" in body
    assert "script" not in body
    assert 'alt=""' in body
    assert 'tabindex="0"' in body
    assert made(body_text="a < b\n\nc").body == "<p>a &lt; b</p><p>c</p>"


def test_linked_data_says_only_what_is_known_and_cannot_leave_its_element() -> None:
    story = made(
        Act.CORRECTION, timedelta(hours=1), version=2, headline="</script><!--", ed_note="Corrects", language="en"
    )
    data = news_article(story, "https://wire.example")
    assert data["correction"] == {
        "@type": "CorrectionComment",
        "text": "Corrects",
        "datePublished": "2026-01-02T04:04:05Z",
    }
    assert (data["datePublished"], data["dateModified"]) == ("2026-01-02T03:04:05Z", "2026-01-02T04:04:05Z")
    assert "author" not in data
    written = script_of(data)
    assert "<" not in written
    assert json.loads(written) == data


def test_the_console_offers_every_notice() -> None:
    assert tuple(NOTICES) == NOTICE_TYPES


def test_the_pages_files_are_small() -> None:
    sizes = {asset.name: len(asset.body) for asset in load_assets().values()}
    console = {name: size for name, size in sizes.items() if name.startswith("console")}
    assert sizes.keys() - console == {"wire.css", "live.js", "copy.js", "favicon.svg"}
    assert sizes["wire.css"] < 15_000
    assert sizes["live.js"] + sizes["copy.js"] < 10_000
    assert sum(console.values()) < 80_000


def test_scripts_import_each_other_by_addresses_that_are_served() -> None:
    assets = load_assets()
    imported = {
        address
        for asset in assets.values()
        if asset.name.endswith(".js")
        for address in re.findall(r'(?:from|import) "([^"]+)"', asset.body.decode())
    }
    assert imported
    assert imported <= {asset.address for asset in assets.values()}
