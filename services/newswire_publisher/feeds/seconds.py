"""Whether a Last-Modified still tells two states of a document apart (RFC 9110 section 8.8.2.2).

HTTP's dates are whole seconds, and a feed may change twice in one. Who read the first
state and asks with its date would be told that nothing has changed, though it has. So
the second state of a second whose first was given out takes no date for an answer: who
asks by date alone gets it whole. A burst that nobody read in between costs nothing.
"""

from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple


class _Given(NamedTuple):
    etag: str
    second: int
    shared: bool


class GivenSeconds:
    """What this process has given out last at each address. Not thread-safe."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._given: OrderedDict[str, _Given] = OrderedDict()

    def shared(self, address: str, etag: str, modified: datetime) -> bool:
        """Note what is given out now; return whether another state of the same second was given out before."""
        second = int(modified.timestamp())
        last = self._given.get(address)
        if last is None or last.second != second:
            given = _Given(etag, second, shared=False)
        elif last.etag != etag:
            given = _Given(etag, second, shared=True)
        else:
            given = last
        self._given[address] = given
        self._given.move_to_end(address)
        if len(self._given) > self._most:
            self._given.popitem(last=False)
        return given.shared
