"""Consumer groups: made at 0, before anything is published, and made again if they vanish."""

from redis.exceptions import ResponseError

from newswire_runtime.client import Client


async def ensure_group(client: Client, stream: str, group: str) -> bool:
    """Create the group at the stream's start, with the stream; return whether it was missing."""
    try:
        await client.xgroup_create(stream, group, id="0", mkstream=True)
    except ResponseError as exc:
        if "BUSYGROUP" in str(exc):
            return False
        raise
    return True


async def drop_idle_consumers(client: Client, stream: str, group: str, idle_ms: int) -> int:
    """Remove consumers that own no entry and have been silent for so long; return how many."""
    dropped = 0
    for consumer in await client.xinfo_consumers(stream, group):
        if consumer["pending"] == 0 and consumer["idle"] > idle_ms:
            await client.xgroup_delconsumer(stream, group, consumer["name"])
            dropped += 1
    return dropped


async def trim_handled(client: Client, stream: str, keep_ms: int) -> int:
    """Drop entries that every group has finished and that are older than ``keep_ms``.

    The bound lies below every group's oldest pending entry and below what it has not
    read yet; a stream without groups is left alone. Returns how many entries went.
    """
    groups = await client.xinfo_groups(stream)
    if not groups:
        return 0
    seconds, microseconds = await client.time()
    bound = (max(0, seconds * 1000 + microseconds // 1000 - keep_ms), 0)
    for group in groups:
        pending = await client.xpending(stream, group["name"])
        first = _entry_id(pending["min"]) if pending["pending"] else _after(group["last-delivered-id"])
        bound = min(bound, first)
    return int(await client.xtrim(stream, minid=f"{bound[0]}-{bound[1]}", approximate=False))


def _entry_id(raw: bytes | str) -> tuple[int, int]:
    ms, _, sequence = (raw.decode() if isinstance(raw, bytes) else raw).partition("-")
    return int(ms), int(sequence)


def _after(raw: bytes | str) -> tuple[int, int]:
    ms, sequence = _entry_id(raw)
    return ms, sequence + 1
