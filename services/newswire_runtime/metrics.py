"""Every metric's name, in one place. Prometheus text on each service's ``/metrics``."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Seconds(Collector):
    """A histogram for what is observed in one event loop many thousand times a second: it takes no lock."""

    def __init__(self, name: str, documentation: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        REGISTRY.register(self)

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterable[Metric]:
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        buckets = list(zip(names, map(float, accumulate(self._counts)), strict=True))
        yield HistogramMetricFamily(self._name, self._documentation, buckets=buckets, sum_value=self._sum)


_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

HOP_SECONDS = Histogram("newswire_hop_seconds", "Time to process and commit one batch.", ["stage"], buckets=_FAST)
HOP_ENTRIES = Counter("newswire_hop_entries", "Entries by stage and outcome.", ["stage", "outcome"])
DEAD_LETTERS = Counter("newswire_dead_letters", "Entries that became dead letters.", ["stage", "reason"])
SUBMISSIONS = Counter("newswire_submissions", "Submitted items by format and outcome.", ["format", "outcome"])
DELIVERIES = Counter("newswire_webhook_attempts", "Webhook attempts by outcome.", ["outcome"])
DELIVERY_SECONDS = Seconds(
    "newswire_webhook_latency_seconds", "From acceptance to a webhook's 2xx, first attempts.", _FAST
)
WEBHOOKS_UNSIGNED = Gauge(
    "newswire_webhooks_unsigned", "Webhooks whose pushes wait, as no key of this process opens their secrets."
)
HUB_DELIVERIES = Counter("newswire_hub_attempts", "Deliveries to WebSub subscribers by outcome.", ["outcome"])
HUB_SECONDS = Histogram(
    "newswire_hub_latency_seconds", "From a feed's change to a WebSub subscriber's 2xx, first attempts.", buckets=_FAST
)
HUB_CHECKS = Counter(
    "newswire_hub_checks", "Calls that ask or tell WebSub callbacks, by mode and outcome.", ["mode", "outcome"]
)
FEED_REQUESTS = Counter("newswire_feed_requests", "Feed requests by answer.", ["status"])
STREAM_LAG = Gauge("newswire_stream_lag", "Entries that a group has not read.", ["stream", "group"])
STREAM_PENDING = Gauge(
    "newswire_stream_pending", "Entries that a group has read and not finished.", ["stream", "group"]
)
