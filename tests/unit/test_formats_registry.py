"""Which format reads a submission, and how refusals are told."""

from datetime import UTC, datetime

import pytest

from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput, UnsupportedFormat, pointer_to
from newswire_ingest.formats.registry import ContentType, detect, parse

CONTEXT = ParseContext(source="desk", now=datetime(2025, 11, 12, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("content_type", "body", "name"),
    [
        ("application/json", b'{"headline": "x"}', "article"),
        ("application/json; charset=utf-8", b'{"uri": "u", "headlines": []}', "ninjs"),
        ("application/json", b'{"items": [{"guid": "u", "pubstatus": "usable"}]}', "ninjs"),
        ("application/json", b'{"headline": "the word \\"guid\\": here"}', "article"),
        ("application/json", b'{"extras": {"guid": "deep inside"}}', "article"),
        ("application/json", b"no json", "article"),
        ("Application/NINJS+json", b"{}", "ninjs"),
        ("text/plain", b"{", "text"),
        (None, b'{"headline": "x"}', "article"),
        ("application/octet-stream", b"A headline", "text"),
    ],
)
def test_content_type_then_content_names_the_format(content_type: str | None, body: bytes, name: str) -> None:
    assert detect(content_type, None, body).name == name


def test_a_named_format_beats_the_content_type() -> None:
    assert detect("text/plain", "ninjs", b"").name == "ninjs"


@pytest.mark.parametrize(("content_type", "name"), [("image/png", None), ("text/plain", "nope"), (None, None)])
def test_an_unsupported_type_says_what_is_supported(content_type: str | None, name: str | None) -> None:
    with pytest.raises(UnsupportedFormat) as refusal:
        detect(content_type, name, b"\x00\x01")
    assert refusal.value.status == 415
    assert "application/ninjs+json" in refusal.value.supported


def test_charset_is_read_from_the_content_type() -> None:
    assert ContentType.of('text/plain; charset="windows-1251"') == ContentType("text/plain", "windows-1251")
    body = "Заголовок о порте\n\nПорт открыт. Так сообщили.".encode("windows-1251")
    assert parse(body, context=CONTEXT, content_type="text/plain; charset=windows-1251")[1][0].headline == (
        "Заголовок о порте"
    )


@pytest.mark.parametrize("charset", ["rot13", "nope", "base64", "utf-7\x00"])
def test_an_unknown_charset_is_refused(charset: str) -> None:
    with pytest.raises(MalformedInput):
        parse(b"A title here\n\nText.", context=CONTEXT, content_type=f"text/plain; charset={charset}")


def test_pointers_escape_as_rfc_6901_says() -> None:
    assert pointer_to("a/b", 0, "c~d") == "/a~1b/0/c~0d"


def test_an_unknown_time_zone_in_the_defaults_is_refused() -> None:
    context = ParseContext(source="desk", now=CONTEXT.now, defaults={"timezone": "Mars/Olympus"})
    with pytest.raises(MalformedInput, match="timezone"):
        parse(b"A title here\n\nText is here.", context=context, content_type="text/plain")


def test_a_wrong_default_language_is_refused() -> None:
    context = ParseContext(source="desk", now=CONTEXT.now, defaults={"language": "not a language"})
    with pytest.raises(MalformedInput, match="language"):
        parse(b"A title here\n\nText is here.", context=context, content_type="text/plain")


def test_a_clock_without_zone_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="aware"):
        ParseContext(source="desk", now=datetime(2025, 1, 1))
