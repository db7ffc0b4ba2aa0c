"""Server-side scripts: the atomic steps of the system.

Every script begins with ``#!lua``: the server then refuses it whole when it is
out of memory, and never stops half-way between two writes.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from newswire_runtime.client import MOST_IN_BATCH, Client, batch

Word = str | bytes | int | float
_INCLUDE = re.compile(r"^--include (\S+)/(\S+)$", re.MULTILINE)


def _text(package: str, name: str) -> str:
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda match: _text(match[1], match[2]), text)


class Script:
    """A Lua script, called by its digest and loaded when the server does not know it.

    A line ``--include package/file.lua`` stands for that file's text.
    """

    def __init__(self, package: str, name: str) -> None:
        self.name = name
        self.source = _text(package, name)
        self.sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, client: Client, keys: Sequence[str | bytes], args: Sequence[Word]) -> Any:
        """Run the script; all keys lie in one slot."""
        try:
            return await client.evalsha(self.sha, len(keys), *keys, *args)
        except NoScriptError:
            await client.script_load(self.source)
            return await client.evalsha(self.sha, len(keys), *keys, *args)

    async def many(
        self, client: Client, calls: Sequence[tuple[Sequence[str | bytes], Sequence[Word]]], *, writes: bool = True
    ) -> list[Any]:
        """Run the script for each ``(keys, args)`` in few round trips; one failure raises after all have run.

        ``writes``: whether it writes; what only reads needs no `batch`, and costs half without one.
        """
        results = await self._batches(client, calls, writes=writes)
        if any(isinstance(result, NoScriptError) for result in results):
            await client.script_load(self.source)
            missing = [i for i, result in enumerate(results) if isinstance(result, NoScriptError)]
            again = await self._batches(client, [calls[i] for i in missing], writes=writes)
            for i, result in zip(missing, again, strict=True):
                results[i] = result
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results

    async def _batches(
        self, client: Client, calls: Sequence[tuple[Sequence[str | bytes], Sequence[Word]]], *, writes: bool
    ) -> list[Any]:
        results: list[Any] = []
        for start in range(0, len(calls), MOST_IN_BATCH):
            pipeline = batch(client) if writes else client.pipeline(transaction=False)
            for keys, args in calls[start : start + MOST_IN_BATCH]:
                # The named method is blocked in redis-py's pipelines for clusters.
                pipeline.execute_command("EVALSHA", self.sha, len(keys), *keys, *args)
            results += await pipeline.execute(raise_on_error=False)
        return results
