"""What the hub asks and sends, and what answers to it mean: pure decisions."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_publisher.hub.calls import (
    CHECK_DELAYS,
    FIRST_DELAY,
    LONGEST_DELAY,
    Settled,
    answered,
    delivered,
    delivery_headers,
    question,
)
from newswire_publisher.hub.model import Call, Subscription, denial, granted, subscribed, subscription_id
from newswire_publisher.hub.topics import ForeignTopic, Topic, link_header, parse_topic
from newswire_runtime.outcome import Failure, Outcome

BASE = "https://wire.example"
ALL = Topic(BASE, "all", "rss")
NOW = datetime(2025, 2, 7, tzinfo=UTC)


def subscription(callback: str = "https://reader.example/cb", secret: str | None = None) -> Subscription:
    return subscribed(ALL, "", callback, secret=secret, lease=600, now=NOW)


def call(mode: str = "subscribe", callback: str = "https://reader.example/cb") -> Call:
    return Call.model_validate({"mode": mode, "topic": ALL.url, "subscription": subscription(callback)})


def said(status: int, body: bytes = b"", retry_after: str | None = None) -> Outcome:
    return Outcome(1_750_000_000_000, 5, status=status, excerpt=body, retry_after=retry_after)


@pytest.mark.parametrize(
    ("callback", "expected"),
    [
        ("https://r.example/cb", "https://r.example/cb?hub.mode="),
        ("https://r.example/cb?a=1", "https://r.example/cb?a=1&hub.mode="),
        ("https://r.example/cb?", "https://r.example/cb?&hub.mode="),
        ("https://r.example/cb#part", "https://r.example/cb?hub.mode="),
        ("https://r.example/cb?a=1#b?c", "https://r.example/cb?a=1&hub.mode="),
    ],
)
def test_a_question_is_appended_to_the_callbacks_query(callback: str, expected: str) -> None:
    assert question(call(callback=callback), "abc").startswith(expected)


def test_a_question_has_what_the_recommendation_asks_for() -> None:
    asked = dict(parse_qsl(urlsplit(question(call(), "abc")).query))
    assert asked == {
        "hub.mode": "subscribe",
        "hub.topic": ALL.url,
        "hub.challenge": "abc",
        "hub.lease_seconds": "600",
    }
    assert "hub.lease_seconds" not in question(call("unsubscribe"), "abc")
    told = dict(parse_qsl(urlsplit(question(denial(subscription(), "no more"), "abc")).query))
    assert told == {"hub.mode": "denied", "hub.topic": ALL.url, "hub.reason": "no more"}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (said(200, b"abc"), "confirmed"),
        (said(204, b""), "refused"),
        (said(299, b"abc"), "confirmed"),
        (said(200, b"abcd"), "refused"),
        (said(200, b"abc\n"), "refused"),
        (said(302, b"abc"), "refused"),
        (said(404, b"abc"), "refused"),
        (said(410), "refused"),
        (said(429), "retry"),
        (said(500, b"abc"), "retry"),
        (Outcome(0, 5, error=Failure.TIMEOUT), "retry"),
        (Outcome(0, 5, error=Failure.GUARDED), "retry"),
        (Outcome(0, 5, status=200, excerpt=b"abc", truncated=True), "refused"),
    ],
)
def test_only_a_2xx_with_the_challenge_confirms(outcome: Outcome, expected: str) -> None:
    assert answered(call(), "abc", outcome, 1, 0).outcome == expected


def test_a_callback_is_asked_a_few_times_and_told_once() -> None:
    failed = Outcome(0, 5, error=Failure.REFUSED)
    delays = [answered(call(), "abc", failed, attempt, 0) for attempt in range(1, 5)]
    assert delays == [*[Settled("retry", delay) for delay in CHECK_DELAYS], Settled("unreachable")]
    assert answered(denial(subscription(), "x"), "", said(500), 1, 0) == Settled("told")
    assert answered(denial(subscription(), "x"), "", failed, 1, 0).outcome == "retry"


@given(attempts=st.integers(1, 10_000), random=st.floats(0, 1, exclude_max=True))
def test_delays_between_deliveries_grow_up_to_an_hour_and_spread(attempts: int, random: float) -> None:
    plain = delivered(said(500), attempts, 0).delay
    assert plain == min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY)
    assert plain <= delivered(said(500), attempts, random).delay <= plain * 1.25


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (said(200), Settled("delivered")),
        (said(202), Settled("delivered")),
        (said(410), Settled("gone")),
        (said(301), Settled("retry", FIRST_DELAY)),
        (said(404), Settled("retry", FIRST_DELAY)),
        (said(500, retry_after="60"), Settled("retry", FIRST_DELAY)),
        (said(503, retry_after="60"), Settled("retry", 60_000)),
        (said(429, retry_after="999999"), Settled("retry", LONGEST_DELAY)),
        (said(429, retry_after="soon"), Settled("retry", FIRST_DELAY)),
        (Outcome(0, 5, error=Failure.GUARDED), Settled("retry", FIRST_DELAY)),
    ],
)
def test_what_follows_a_delivery(outcome: Outcome, expected: Settled) -> None:
    assert delivered(outcome, 1, 0) == expected


def test_a_delivery_names_hub_and_topic_and_is_signed() -> None:
    headers = delivery_headers(subscription(secret="ключ"), b"body", "application/rss+xml")
    assert headers["Link"] == link_header(BASE, ALL.url)
    assert headers["Link"] == f'<{BASE}/hub>; rel="hub", <{BASE}/feeds/all.rss>; rel="self"'
    expected = hmac.new("ключ".encode(), b"body", hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature"] == f"sha256={expected}"
    assert "X-Hub-Signature" not in delivery_headers(subscription(), b"body", "application/rss+xml")


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        (f"{BASE}/feeds/all.rss", ALL),
        ("HTTPS://WIRE.example:443/feeds/all.rss", ALL),
        (f"{BASE}/feeds/a.b-c_1.json", Topic(BASE, "a.b-c_1", "json")),
        (f"{BASE}/feeds/all.rss?token=nw_x%2By", Topic(BASE, "all", "rss", "nw_x+y")),
    ],
)
def test_a_topic_is_a_feed_documents_address(text: str, topic: Topic) -> None:
    assert parse_topic(text, BASE) == topic


@pytest.mark.parametrize(
    "text",
    [
        "http://wire.example/feeds/all.rss",
        "https://wire.example:8443/feeds/all.rss",
        "https://wire.example.evil.example/feeds/all.rss",
        "https://user@wire.example/feeds/all.rss",
        f"{BASE}/feeds/all",
        f"{BASE}/feeds/All.rss",
        f"{BASE}/feeds/../feeds/all.rss/",
        f"{BASE}/feeds/a/b.rss",
        f"{BASE}/feeds/all.rss#x",
        f"{BASE}/feeds/all.rss?x=1",
        f"{BASE}/feeds/all.rss?token=a&token=b",
        f"{BASE}/v1/feeds/all.rss",
        "urn:all",
        "",
        "//wire.example/feeds/all.rss",
    ],
)
def test_no_other_address_is_a_topic(text: str) -> None:
    with pytest.raises(ForeignTopic):
        parse_topic(text, BASE)


def test_a_wire_below_a_path_has_its_topics_there() -> None:
    base = "https://example.org/wire"
    assert parse_topic(f"{base}/feeds/all.rss", base) == Topic(base, "all", "rss")
    for other in ("https://example.org/feeds/all.rss", "https://example.org/wired/feeds/all.rss"):
        with pytest.raises(ForeignTopic):
            parse_topic(other, base)


def test_topic_reader_and_callback_make_a_subscription() -> None:
    ids = {
        subscription_id(Topic(BASE, name, extension), reader, callback)
        for name in ("all", "b")
        for extension in ("rss", "atom")
        for reader in ("", "1", "2")
        for callback in ("https://r.example/1", "https://r.example/2")
    }
    assert len(ids) == 24
    assert subscription_id(Topic(BASE, "all", "rss", "secret"), "", "x") == subscription_id(ALL, "", "x")


def test_secrets_are_in_no_repr() -> None:
    kept = subscribed(ALL, "digest", "https://r.example/", secret="hush", lease=300, now=NOW)
    shown = repr(kept) + repr(Call(mode="subscribe", topic=f"{ALL.url}?token=hush", subscription=kept))
    assert "hush" not in shown + repr(parse_topic(f"{ALL.url}?token=hush", BASE))
    assert "digest" not in shown


def test_a_lease_is_cut_to_what_the_hub_gives() -> None:
    assert [granted(wanted) for wanted in (None, 1, 600, 10**12)] == [864_000, 300, 600, 2_592_000]
