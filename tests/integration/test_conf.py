"""Tables of configured things, as two processes see them."""

from collections.abc import AsyncIterator

import pytest
from pydantic import BaseModel

from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_runtime.conf import Table


class Thing(BaseModel):
    """What is configured here."""

    size: int


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    made = make_client(redis_url)
    yield made
    await made.aclose()


async def test_what_another_has_written_is_in_the_next_reading(client: Client) -> None:
    ours, others = Table(client, "feeds", Thing), Table(client, "feeds", Thing)
    assert await ours.all() == {}
    await others.put("a", Thing(size=1))
    assert await ours.all() == {"a": Thing(size=1)}


async def test_who_names_only_what_was_read_is_answered_by_that_reading(client: Client) -> None:
    ours, others = Table(client, "feeds", Thing), Table(client, "feeds", Thing)
    await others.put("a", Thing(size=1))
    read = await ours.all()
    await others.put("b", Thing(size=2))
    assert await ours.having(["a"]) is read


async def test_who_names_what_came_since_is_answered_by_a_new_reading(client: Client) -> None:
    ours, others = Table(client, "feeds", Thing), Table(client, "feeds", Thing)
    await others.put("a", Thing(size=1))
    await ours.all()
    await others.put("b", Thing(size=2))
    assert await ours.having(["a", "b"]) == {"a": Thing(size=1), "b": Thing(size=2)}
    assert await ours.having(["never"]) == {"a": Thing(size=1), "b": Thing(size=2)}
