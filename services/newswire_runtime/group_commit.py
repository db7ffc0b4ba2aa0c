"""Many callers, one round trip: commands that arrive together travel in one pipeline.

With ``appendfsync always`` the server syncs once for all commands that it handles
in one turn, and a `batch` is one turn. While one pipeline is on its way, the next one fills up; so the price of
durability is shared, and a lone caller waits for nobody.
"""

import asyncio
from typing import Any

from redis.exceptions import NoScriptError

from newswire_runtime.client import MOST_IN_BATCH, Client, batch
from newswire_runtime.scripts import Script, Word


class GroupCommit:
    """Runs commands of concurrent callers in shared pipelines, in the order of their arrival."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._queue: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def execute(self, *command: Word) -> Any:
        """Run one command and return its reply; raise its error."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((command, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await future

    async def script(self, script: Script, keys: list[str], args: list[Word]) -> Any:
        """Run a script by its digest, loading it where the server does not know it."""
        call = ("EVALSHA", script.sha, len(keys), *keys, *args)
        try:
            return await self.execute(*call)
        except NoScriptError:
            await self._client.script_load(script.source)
            return await self.execute(*call)

    async def _flush(self) -> None:
        while self._queue:
            queued, self._queue = self._queue[:MOST_IN_BATCH], self._queue[MOST_IN_BATCH:]
            try:
                pipeline = batch(self._client)
                for command, _ in queued:
                    pipeline.execute_command(*command)
                replies = await pipeline.execute(raise_on_error=False)
            except BaseException as exc:
                # Whether the server got the commands is not known: every caller hears of the fault.
                for _, future in queued:
                    if not future.done():
                        future.set_exception(exc if isinstance(exc, Exception) else ConnectionError("stopped"))
                if not isinstance(exc, Exception):
                    raise
                continue
            for (_, future), reply in zip(queued, replies, strict=True):
                if future.done():
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
