"""What every input format keeps to; a new format adds one line to ``SAMPLES``."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput
from newswire_ingest.formats.registry import FORMATS, Format, detect, parse
from newswire_schemas.article import Draft

CONTEXT = ParseContext(source="desk", now=datetime(2025, 11, 12, 12, tzinfo=UTC))

SAMPLES: dict[str, bytes] = {
    "article": json.dumps({"uri": "urn:x:1", "version": 1, "headline": "Ein Titel", "body_text": "Ein Satz."}).encode(),
    "ninjs": json.dumps(
        {"uri": "urn:x:1", "version": "1", "headlines": [{"value": "Title"}], "pubStatus": "usable"}
    ).encode(),
    "text": "Ein Titel über den Hafen\n\nDer Hafen ist offen. Das sagte ein Sprecher.\n".encode(),
}

BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n\t\r\n ",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "bytes that are no UTF-8": b'{"headline": "\xff\xfe"}\n\nText \xc3\x28 more.',
}

each_format = pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)


def readable(fmt: Format, body: bytes) -> list[Draft] | None:
    """Parse; None if it is refused in the proper way."""
    try:
        return parse(body, context=CONTEXT, format=fmt.name)[1]
    except MalformedInput as refusal:
        assert refusal.detail
        assert refusal.status == 422
        return None


def test_every_format_has_a_sample_here() -> None:
    assert set(SAMPLES) == {fmt.name for fmt in FORMATS}


@each_format
def test_reads_its_sample(fmt: Format) -> None:
    drafts = readable(fmt, SAMPLES[fmt.name])
    assert drafts
    assert drafts[0].headline
    assert drafts[0].uri


@each_format
def test_same_bytes_give_the_same_drafts(fmt: Format) -> None:
    assert fmt.parse(SAMPLES[fmt.name], CONTEXT) == fmt.parse(SAMPLES[fmt.name], CONTEXT)


@each_format
def test_is_found_by_each_content_type_of_its_own(fmt: Format) -> None:
    for content_type in fmt.content_types:
        assert detect(content_type, None, SAMPLES[fmt.name]).name == fmt.name


@each_format
def test_a_sample_without_content_type_is_recognised(fmt: Format) -> None:
    assert detect(None, None, SAMPLES[fmt.name]).name == fmt.name


@each_format
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_content_is_refused(fmt: Format, body: bytes) -> None:
    with pytest.raises(MalformedInput):
        fmt.parse(body, CONTEXT)


@each_format
def test_a_truncated_sample_is_read_or_refused_at_every_length(fmt: Format) -> None:
    sample = SAMPLES[fmt.name]
    for length in range(len(sample)):
        readable(fmt, sample[:length])


@each_format
def test_the_asked_for_uri_wins(fmt: Format) -> None:
    context = ParseContext(source="desk", now=CONTEXT.now, uri="urn:asked:for")
    drafts = parse(SAMPLES[fmt.name], context=context, format=fmt.name)[1]
    assert drafts[0].uri == "urn:asked:for"


@each_format
def test_defaults_fill_only_what_is_missing(fmt: Format) -> None:
    context = ParseContext(source="desk", now=CONTEXT.now, defaults={"language": "de", "usage_terms": "Free."})
    draft = parse(SAMPLES[fmt.name], context=context, format=fmt.name)[1][0]
    assert (draft.language, draft.usage_terms) == ("de", "Free.")


HOSTILE = {
    "deep arrays": b"[" * 1_000_000,
    "deep objects": b'{"extras":' * 100_000,
    "line ends": b"\n" * 2_000_000,
    "one long word": b"a" * 2_000_000,
    "open brackets": b"(" * 2_000_000,
    "slashes": b"/a" * 1_000_000,
    "digits": b"1 " * 1_000_000,
    "many short lines": b"a b c\n" * 330_000,
    "as many dates as there may be lines": b"7 Februar 2025, 15:39 Uhr hier\n" * 9_990,
    "as many menus as there may be lines": b"Menu entry 7 2025\n" * 9_990,
    "a million wrong values": b'{"uri": "u", "subject": [' + b"1," * 900_000 + b'1], "subjects": [1]}',
    "long digits": b'{"version": 1' + b"0" * 1_000_000 + b"}",
    "ideographs": "社".encode() * 600_000,
}


@each_format
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_two_hostile_megabytes_are_read_or_refused_without_blowing_up(fmt: Format, body: bytes) -> None:
    began = time.process_time()
    readable(fmt, body)
    # Alone each takes under a second; what grows with the square of its input would take minutes.
    assert time.process_time() - began < 20


@each_format
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(fmt: Format, body: bytes) -> None:
    readable(fmt, body)


NAMES = """
uri guid version urgency headline headlines body_html bodies subject places associations renditions embargoed pubStatus
versionCreated descriptions infosource service keywords title dateline byline by extras items
"""
names = st.sampled_from(NAMES.split())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "value", "role", "href", "uri", "code", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "fmt", [fmt for fmt in FORMATS if "application/json" in fmt.content_types], ids=lambda f: f.name
)
@settings(max_examples=300, deadline=None)
@given(item=st.dictionaries(names, values, max_size=6))
def test_json_of_any_shape_is_read_or_refused(fmt: Format, item: dict[str, object]) -> None:
    readable(fmt, json.dumps({"uri": "urn:x:1"} | item).encode())


LINES = (
    *("Politik", "07 Februar 2025, 15:39", "X", "Foto: dpa", "Ein längerer Titel über den Hafen", "> a > b", ""),
    *(
        "Berlin (dpa) - Es regnet.",
        "Letzte Nachrichten",
        "7 лютага 2025",
        "新华社北京2月7日电 正文。",
        "Ein Satz. " * 20,
    ),
)


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(st.sampled_from(LINES), max_size=14))
def test_lines_of_pages_in_any_order_are_read_or_refused(lines: list[str]) -> None:
    readable(next(fmt for fmt in FORMATS if fmt.name == "text"), "\n".join(lines).encode())
