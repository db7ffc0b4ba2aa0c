"""How often an integrator may have us call an address at once, for a test or a challenge.

Such a call goes out before anybody has shown that the address wants it: it must not be a way to have somebody
else's server called as often as one likes. Operators are not bounded.
"""

from newswire_publisher.webhooks.model import Webhook
from newswire_runtime.client import Client, batch
from newswire_runtime.problems import Problem
from newswire_schemas.streams import hook_calls

MOST_CALLS = 60
WITHIN_SECONDS = 60


class CallLimit:
    """Counts the calls of each owner."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def count(self, hook: Webhook) -> None:
        """Count one call; raise a 429 problem if it is one too many."""
        if hook.is_operators:
            return
        key = hook_calls(hook.owner, self._partitions)
        pipeline = batch(self._client)
        pipeline.set(key, 0, nx=True, ex=WITHIN_SECONDS)
        pipeline.incr(key)
        pipeline.ttl(key)
        _, calls, left = await pipeline.execute()
        if left < 0:  # it ended between the commands, and was made anew without an end
            await self._client.expire(key, WITHIN_SECONDS)
        if calls > MOST_CALLS:
            wait = max(1, left)
            detail = f"you had {MOST_CALLS} tests and challenges sent within a minute; wait {wait} s"
            raise Problem(429, "too-many-calls", detail, headers={"Retry-After": str(wait)})
