"""The guard's decisions. Nothing here opens a socket or looks a name up."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_runtime.address_blocks import METADATA
from newswire_runtime.ssrf import AddressGuard, RefusedUrl, check_url, parse_networks

GUARD = AddressGuard()
LOCAL = AddressGuard([ip_network("127.0.0.0/8")])


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*args: object, **_: object) -> None:
        raise AssertionError(f"the guard used the network: {args}")

    monkeypatch.setattr(socket, "getaddrinfo", reached)
    monkeypatch.setattr(socket.socket, "connect", reached)


GUARDED_ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.1.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "100::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "2001:2::1",
    "2001:10::1",
    "4000::1",
    "5f00::1",
    "64:ff9b:1::1",
    "8000::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:0",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::10.1.2.3",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:7f00:1::1",
    "2001:0:808:808::f5ff:fffe",
]


@pytest.mark.parametrize("address", GUARDED_ADDRESSES)
def test_an_address_that_is_not_globally_routable_is_guarded(address: str) -> None:
    assert GUARD.permits(ip_address(address)) is False


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:4860::8888",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ],
)
def test_a_globally_routable_address_is_permitted(address: str) -> None:
    assert GUARD.reason(ip_address(address)) is None


@pytest.mark.parametrize("address", sorted(map(str, METADATA)))
@pytest.mark.parametrize("wide", [True, False], ids=["in a range", "listed itself"])
def test_no_allow_list_opens_a_metadata_service(address: str, wide: bool) -> None:
    networks = ["0.0.0.0/0", "::/0"] if wide else [address]

    assert AddressGuard([ip_network(n) for n in networks]).reason(ip_address(address)) == "a cloud's metadata service"


@pytest.mark.parametrize("address", ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::a9fe:a9fe"])
def test_no_allow_list_opens_a_metadata_service_inside_an_ipv6_address(address: str) -> None:
    guard = AddressGuard(parse_networks("0.0.0.0/0 ::/0"))

    assert guard.reason(ip_address(address)) == "a cloud's metadata service"


def test_an_allow_list_opens_its_ranges_and_nothing_else() -> None:
    guard = AddressGuard(parse_networks("10.1.0.0/16, fd00:1::/32"))

    assert guard.permits(ip_address("10.1.2.3"))
    assert guard.permits(ip_address("::ffff:10.1.2.3"))
    assert guard.permits(ip_address("fd00:1::5"))
    assert not guard.permits(ip_address("10.2.0.1"))
    assert not guard.permits(ip_address("127.0.0.1"))


def test_an_allowed_ipv4_range_does_not_open_the_same_range_behind_nat64() -> None:
    assert not LOCAL.permits(ip_address("64:ff9b::7f00:1"))


def test_an_allow_list_with_host_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="has host bits set"):
        parse_networks("10.1.2.3/8")


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_a_mapped_address_is_judged_as_the_ipv4_address_that_it_is(address: IPv4Address) -> None:
    mapped = IPv6Address(f"::ffff:{address}")

    assert GUARD.reason(mapped) == GUARD.reason(address)
    assert GUARD.permits(IPv6Address(f"64:ff9b::{address}")) == GUARD.permits(address)


@given(st.one_of(st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 2**128 - 1).map(IPv6Address)))
def test_what_is_permitted_is_what_the_standard_library_calls_global(address: IPv4Address | IPv6Address) -> None:
    if GUARD.permits(address):
        plain = getattr(address, "ipv4_mapped", None) or address
        assert plain.is_global
        assert not plain.is_multicast


LOOPBACK_LITERALS = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/x",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0x7f.1/",
    "http://0x7F.0.0.0x1/",
    "http://127.0.0.01/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1%25lo]/",
    "http://[2002:7f00:1::]/",
    "http://[v1.127.0.0.1]/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://localhost../",
    "http://a.b.localhost/",
    "http://a.localhost./",
    "http://localhost.localdomain/",
    "http://ip6-localhost/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://⑫7.0.0.1/",
    "http://ⓛocalhost/",
    "http://ｌｏｃａｌｈｏｓｔ/",
    "http://local\u00adhost/",
    "http://local\u200bhost/",
    "http://loc\talhost/",
    "http://%31%32%37.0.0.1/",
    "http://%6c%6f%63%61%6c%68%6f%73%74/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/",
    "http://METADATA.google.internal./",
    "http://metadata/",
    "http://192.168.1.1/",
    "http://256.0.0.1/",
    "http://1.2.3.4.5/",
    "http://x.0x/",
]


@pytest.mark.parametrize("url", LOOPBACK_LITERALS)
def test_every_way_to_write_a_guarded_host_is_refused(url: str) -> None:
    with pytest.raises(RefusedUrl):
        check_url(url, GUARD)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "http"),
        ("file:///etc/passwd", "http"),
        ("gopher://example.com/", "http"),
        ("javascript:alert(1)", "http"),
        ("//example.com/", "http"),
        ("example.com/hook", "http"),
        ("", "http"),
        ("http:///x", "no host"),
        ("http:/x", "no host"),
        ("http:x", "no host"),
        ("http://:80/", "parsed|no host"),
        ("http://user@example.com/", "user or password"),
        ("http://user:secret@example.com/", "user or password"),
        ("http://:@example.com/", "user or password"),
        ("http://@example.com/", "user or password"),
        ("http://example.com:pass@8.8.8.8/", "parsed|user or password"),
        ("http://example.com:0/", "port 0"),
        ("http://example.com:25/", "port 25"),
        ("http://example.com:6379/", "port 6379"),
        ("http://example.com:65536/", "parsed"),
        ("http://example.com:-1/", "parsed"),
        ("http://example.com:http/", "parsed"),
        ("http://exa mple.com/", "spaces"),
        ("http://example.com\\@127.0.0.1/", "backslashes"),
        ("http://example.com/\r\nHost: x", "control characters"),
        ("http://exa<mple.com/", "characters"),
        ("http://example..com/", "empty label"),
        ("http://" + "a" * 64 + ".com/", "63 characters"),
        ("http://example.com/" + "a" * 2_000, "longer"),
        ("http://[::1/", "parsed"),
        ("http://[::g]/", "parsed|IPv6"),
    ],
)
def test_what_is_no_plain_http_url_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(RefusedUrl, match=reason):
        check_url(url, GUARD)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://example.com/hook?a=b@c", "example.com", 443),
        ("http://example.com:8080", "example.com", 8080),
        ("HTTPS://Example.COM./x", "example.com.", 443),
        ("http://8.8.8.8/", "8.8.8.8", 80),
        ("http://[2606:4700::1111]:8443/", "2606:4700::1111", 8443),
        ("https://münchen.example/ä", "xn--mnchen-3ya.example", 443),
        ("https://under_score.example/", "under_score.example", 443),
    ],
)
def test_a_plain_url_is_taken(url: str, host: str, port: int) -> None:
    parsed = check_url(url, GUARD)

    assert (parsed.host, parsed.port) == (host, port)


def test_a_literal_host_comes_with_its_address_and_a_name_without() -> None:
    assert check_url("http://8.8.8.8/", GUARD).address == ip_address("8.8.8.8")
    assert check_url("http://example.com/", GUARD).address is None


def test_the_fragment_is_dropped_and_the_query_kept() -> None:
    assert str(check_url("http://example.com/a?b=c#d", GUARD).url) == "http://example.com/a?b=c"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://127.9.9.9/", "http://localhost:9/", "http://a.localhost/"]
)
def test_an_allowed_loopback_range_opens_its_literals_and_names(url: str) -> None:
    assert check_url(url, LOCAL)


@pytest.mark.parametrize("url", ["http://2130706433/", "http://127.1/", "http://0x7f.1/", "http://[::1]/"])
def test_an_allowed_range_does_not_open_odd_spellings_or_other_ranges(url: str) -> None:
    with pytest.raises(RefusedUrl):
        check_url(url, LOCAL)


@given(st.text(max_size=60))
def test_no_text_makes_the_check_fail_in_another_way(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}/", f"http://x:{text}/"):
        try:
            parsed = check_url(url, GUARD)
        except RefusedUrl:
            continue
        assert parsed.url.scheme in {"http", "https"}
        assert parsed.host.isascii()
