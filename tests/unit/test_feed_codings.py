"""A document in content codings: what is joined unpacks to the whole, and who gets which coding."""

import gzip
import io
import subprocess
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from newswire_publisher.feeds.codings import PREFERRED, Coding, Piece, Wanted, deflate, join_gzip, shrink

TEXT = "Зимний порт открыт. The ferry is back.\n".encode() * 40
ALL = PREFERRED


def joined(*bodies: bytes) -> bytes:
    return join_gzip([Piece(body) for body in bodies])


@given(st.lists(st.one_of(st.binary(max_size=600), st.text(max_size=2000).map(str.encode)), max_size=12))
def test_joined_pieces_unpack_to_the_whole(bodies: list[bytes]) -> None:
    packed, whole = joined(*bodies), b"".join(bodies)
    assert gzip.decompress(packed) == whole
    stream = zlib.decompressobj(wbits=31)
    assert stream.decompress(packed) + stream.flush() == whole
    assert stream.eof
    assert not stream.unused_data  # one member: some clients stop at the first


def test_zcat_checks_and_unpacks_joined_pieces() -> None:
    unpacked = subprocess.run(["zcat"], input=joined(TEXT, b"\n", TEXT, b"end"), capture_output=True, check=True)
    assert unpacked.stdout == TEXT + b"\n" + TEXT + b"end"


def test_a_joined_document_says_when_a_byte_is_wrong() -> None:
    packed = bytearray(joined(TEXT, b"short"))
    packed[-9 - 2 - 5] ^= 1  # within the stored piece
    with pytest.raises((gzip.BadGzipFile, zlib.error)):
        gzip.GzipFile(fileobj=io.BytesIO(bytes(packed))).read()


def test_a_piece_is_deflated_once_and_its_blocks_stand_alone() -> None:
    piece = Piece(TEXT)
    assert piece.deflated is piece.deflated
    assert len(piece.deflated) < len(TEXT) / 10
    assert zlib.decompressobj(-15).decompress(deflate(TEXT)) == TEXT
    assert joined(TEXT, TEXT) == joined(TEXT, TEXT)


def test_each_coding_holds_the_document() -> None:
    assert gzip.decompress(shrink(TEXT, "gzip")) == TEXT
    assert brotli.decompress(shrink(TEXT, "br")) == TEXT
    assert zstandard.ZstdDecompressor().decompress(shrink(TEXT, "zstd")) == TEXT
    assert shrink(TEXT, "identity") == TEXT
    for coding in ALL:
        assert shrink(TEXT, coding) == shrink(TEXT, coding)


def test_zstd_is_one_frame() -> None:
    """Several clients end at the second."""
    decoder = zstandard.ZstdDecompressor().decompressobj()
    assert decoder.decompress(shrink(TEXT, "zstd")) == TEXT
    assert not decoder.unused_data


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0.5, identity;q=0.8", "identity"),
        ("gzip;q=0.1", "gzip"),
        ("gzip; q=0", "identity"),
        ("gzip;q=0, identity", "identity"),
        ("*", "gzip"),
        ("*;q=0.3, gzip;q=0", "identity"),
        ("deflate", "identity"),
        ("deflate, identity;q=0", None),
        ("*;q=0", None),
        ("*;q=0, br", "br"),
        ("identity;q=0", None),
        ("identity;q=0, *", "gzip"),
        ("br;q=nonsense, gzip;q=0.2", "gzip"),
        ("br;q=1.5", "identity"),
        (" , gzip ;q=0.4,, ", "gzip"),
        ("gzip,gzip;q=0", "gzip"),
    ],
)
def test_the_weights_decide_which_coding_a_client_gets(header: str | None, coding: Coding | None) -> None:
    assert Wanted(header).best(ALL) == coding


def test_what_is_not_ready_is_not_chosen() -> None:
    wanted = Wanted("gzip, br, zstd")
    assert wanted.best(("identity", "gzip")) == "gzip"
    assert Wanted("br").best(("identity", "gzip")) == "identity"
    assert Wanted("br, identity;q=0").best(("identity", "gzip")) is None


@given(st.text(max_size=60))
def test_no_header_breaks_the_choice(header: str) -> None:
    Wanted(header).best(ALL)
