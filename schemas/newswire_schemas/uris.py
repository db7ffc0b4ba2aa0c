"""URIs (RFC 3986), which standards ask for, from what sources send.

a URI                              ─▶ as it is
an IRI, or an address with spaces  ─▶ percent-encoded (RFC 3987 section 3.1)
anything else                      ─▶ no URI; as a name, urn:x-newswire:… with all of it
"""

import re
from ipaddress import IPv6Address
from urllib.parse import quote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?=.)", re.DOTALL)
_HOST = re.compile(
    r"(?:(?P<user>[^@\[\]]*)@)?(?:\[(?P<literal>[0-9A-Fa-f:.]+)\]|(?P<name>[^@:\[\]]*))(?P<port>:[0-9]*)?"
)
_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_SUB_DELIMITERS = "!$&'()*+,;=%"


def has_scheme(text: str) -> bool:
    """Return whether a text begins with a scheme, such as ``urn:``, and more follows."""
    return _SCHEME.match(text) is not None


def uri_of(text: str) -> str | None:
    """Return a text as a URI; None if it is none."""
    found = _SCHEME.match(text)
    if found is None:
        return None
    rest, hash_, fragment = text[found.end() :].partition("#")
    authority = ""
    if rest.startswith("//"):
        end = min(place for mark in "/?" if (place := f"{rest}{mark}".find(mark, 2)) >= 0)
        authority, rest = rest[:end], rest[end:]
        host = _authority(authority[2:])
        if host is None:
            return None
        authority = f"//{host}"
    return f"{found[0]}{authority}{_encoded(rest, '/?:@')}{hash_}{_encoded(fragment, '/?:@')}"


def name_of(text: str) -> str:
    """Return a text that names something as a URI: two texts never have the same."""
    return uri_of(text) or f"urn:x-newswire:{quote(text, safe='')}"


def _authority(text: str) -> str | None:
    found = _HOST.fullmatch(text)
    if found is None:
        return None
    user, literal, name, port = found["user"], found["literal"], found["name"], found["port"] or ""
    if literal is not None:
        try:
            IPv6Address(literal)
        except ValueError:
            return None
    host = f"[{literal}]" if literal is not None else _encoded(name, "")
    return (f"{_encoded(user, ':')}@" if user is not None else "") + host + port


def _encoded(text: str, more: str) -> str:
    """Percent-encode what a part may not have; ``more``: what it may, beside letters, digits and sub-delimiters."""
    return quote(_ESCAPE.sub("%25", text), safe=_SUB_DELIMITERS + more)
