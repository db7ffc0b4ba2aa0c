"""Which addresses an outbound call may reach: pure decisions, no look-up and no socket.

Users name the URLs that this system calls, so a URL is hostile input: it must
not become a way to reach the network that the system itself lives in
(design invariant 11).

    registration   check_url(url, guard)      what the URL says: scheme, host, port
    every call     check_url again            settings may have changed since
    every look-up  guard.reason(address)      what the name means today
    every connect  guard.reason(address)      the very address of the socket

An address is guarded unless it is globally routable unicast. For IPv6 that is
2000::/3 without the blocks that IANA set aside, so that what is not assigned
yet stays guarded. An IPv4-mapped address is the IPv4 address. NAT64
(RFC 6052) is judged by the IPv4 address inside. Teredo, 6to4 and
IPv4-compatible addresses are withdrawn or deprecated (RFC 7526, RFC 4291
section 2.5.5.1): they are always guarded, and the IPv4 address inside only
shows in the reason. A translator with a prefix of the network's own cannot be
recognised: do not run one that reaches inside.

``allow`` (``NEWSWIRE_SSRF_ALLOW``) opens guarded ranges. It never opens the
metadata services of clouds, which hand out credentials to whoever asks: not
when a range holds them, not when they are listed as /32 or /128.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from yarl import URL

from newswire_runtime.address_blocks import (
    BAD_PORTS,
    GLOBAL_UNICAST,
    GUARDED,
    HOST_CHARACTERS,
    LOOPBACK_NAMES,
    METADATA,
    METADATA_NAMES,
    NAT64,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL = 2_000
"""Characters; what a URL may have at most."""


class RefusedUrl(ValueError):  # noqa: N818 - it says what happened to the URL
    """A URL that may not be called; ``reason`` is a sentence for whoever registered it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """A URL that may be called, as it is called: ``address`` is set if its host is a literal one."""

    url: URL
    host: str
    port: int
    address: Address | None


class AddressGuard:
    """Decide which addresses may be connected."""

    def __init__(self, allow: Sequence[Network] = ()) -> None:
        self._allow = tuple(allow)

    def permits(self, address: Address) -> bool:
        return self.reason(address) is None

    def reason(self, address: Address) -> str | None:
        """Return why an address is refused, such as ``loopback``, or None if it may be connected."""
        address = _plain(address)
        inner = tuple(_embedded(address))
        if address in METADATA or any(face in METADATA for face in inner):
            return "a cloud's metadata service"
        if any(address in network for network in self._allow):
            return None
        if isinstance(address, IPv6Address) and address in NAT64:
            return _special(inner[0])
        found = _special(address)
        behind = next(filter(None, map(_special, inner)), None)
        return f"{found}, with {behind} inside" if found and behind else found


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read ``NEWSWIRE_SSRF_ALLOW``: CIDRs, separated by commas or spaces.

    Raises:
        ValueError: for what is no CIDR, and for one with host bits set.
    """
    return tuple(ip_network(part) for part in text.replace(",", " ").split())


def check_url(url: str, guard: AddressGuard) -> ParsedUrl:
    """Parse a URL that is to be called, without looking its name up.

    Raises:
        RefusedUrl: it is no plain http(s) URL, or its host is a guarded literal or name.
    """
    if len(url) > MAX_URL:
        raise RefusedUrl(f"the URL is longer than {MAX_URL} characters")
    if any(c.isspace() or not c.isprintable() or c == "\\" for c in url):
        raise RefusedUrl("the URL has spaces, backslashes or control characters; percent-encode them")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except (ValueError, UnicodeError) as exc:
        raise RefusedUrl(f"the URL cannot be parsed: {exc}") from exc
    if parsed.scheme not in {"http", "https"}:
        raise RefusedUrl("the URL must start with http:// or https://")
    if not host or port is None:
        raise RefusedUrl("the URL has no host")
    authority = _authority(url)
    if "[" in authority and ":" not in host:
        raise RefusedUrl("the host in brackets is no IPv6 address")
    if "@" in authority:
        raise RefusedUrl("the URL carries a user or password; send credentials in a header instead")
    if port in BAD_PORTS:
        raise RefusedUrl(f"port {port} belongs to another protocol")
    address = _check_host(host, guard)
    return ParsedUrl(parsed.with_fragment(None), host, port, address)


def _check_host(host: str, guard: AddressGuard) -> Address | None:
    if ":" in host:
        if "%" in host:
            raise RefusedUrl("the host is an IPv6 address with a zone, which means this machine's own network")
        try:
            address: Address = IPv6Address(host)
        except ValueError as exc:
            raise RefusedUrl("the host is no IPv6 address") from exc
        return _permitted(address, guard)
    if not set(host) <= HOST_CHARACTERS:
        raise RefusedUrl("the host has characters that no host name has")
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(0 < len(label) <= 63 for label in labels):
        raise RefusedUrl("the host has an empty label, or one of more than 63 characters")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        return _permitted(_ipv4(host, labels), guard)
    if name in METADATA_NAMES:
        raise RefusedUrl("the host is the name of a cloud's metadata service")
    if name in LOOPBACK_NAMES or labels[-1] == "localhost":
        loopback = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
        if not any(guard.permits(address) for address in loopback):
            raise RefusedUrl("the host is a name of this machine (loopback)")
    return None


def _permitted(address: Address, guard: AddressGuard) -> Address:
    if reason := guard.reason(address):
        raise RefusedUrl(f"the host is a guarded address ({reason})")
    return address


def _ipv4(host: str, labels: list[str]) -> IPv4Address:
    """Read a host that ends in a number; only ``a.b.c.d`` is taken.

    The C library also reads octal, hexadecimal and short forms (``0177.1``),
    and not every reader agrees with it: none of them is a name.
    """
    try:
        address = IPv4Address(host)
    except ValueError as exc:
        raise RefusedUrl(f"the host {'.'.join(labels)} is no name and no IPv4 address of the form a.b.c.d") from exc
    return address


def _authority(url: str) -> str:
    rest = url.partition("//")[2]
    return rest[: min((rest.find(c) for c in "/?#" if c in rest), default=len(rest))]


def _plain(address: Address) -> Address:
    """Return the address without its zone, and an IPv4-mapped one as the IPv4 address that it is."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that an IPv6 address stands for, on some way or other."""
    if isinstance(address, IPv4Address):
        return
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        yield low
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo


def _special(address: Address) -> str | None:
    for network, name in GUARDED:
        if address in network:
            return name
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return "not global unicast"
    return None
