"""The live stream's side of the fan-out: one sink that takes every article."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from newswire_publisher.live.log import LiveLog
from newswire_publisher.routing.sinks import Dispatch
from newswire_schemas.filters import Filter


class LiveSink:
    """The one log of the wire; each open stream filters it for itself."""

    kind = "live"

    def __init__(self, log: LiveLog) -> None:
        self._log = log
        self._filters: Mapping[str, Filter] = MappingProxyType({"all": Filter()})

    async def filters(self) -> Mapping[str, Filter]:
        return self._filters

    async def deliver(self, dispatches: Sequence[Dispatch]) -> None:
        await self._log.append(dispatches)
