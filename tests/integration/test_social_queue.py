"""The post queue on a real server: in whatever order versions come, whoever dies, nothing goes out twice or stays."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from newswire_publisher.routing.sinks import Dispatch
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.posts import Post
from newswire_publisher.social.queue import Did, Outcome, PostQueue
from newswire_publisher.social.sink import SocialSinks
from newswire_runtime.conf import Table
from newswire_schemas.article import Act, Article
from newswire_schemas.streams import PostKeys

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENT = Outcome("sent", remote_id="r1", remote_url="https://s.example/r1")
Client = Any


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def sinks(client: Client) -> SocialSinks:
    return SocialSinks(client, Table(client, "accounts", Account), "https://n.example", 4)


async def setup(sinks: SocialSinks, **fields: Any) -> PostQueue:
    account = Account.model_validate({"platform": "generic", "mode": "manual"} | fields)
    await sinks.accounts.put("acc", account)
    return sinks.queue


def version(number: int, act: Act = Act.CORRECTION, uri: str = "urn:a", **fields: Any) -> Dispatch:
    moment = MOMENT + timedelta(minutes=number)
    article = Article(
        uri=uri,
        version=number,
        version_created=moment,
        first_created=MOMENT,
        **({"headline": f"Version {number}"} | fields),
    )
    return Dispatch("acc", act, article, MOMENT, moment, MOMENT, "trace-1")


async def take(queue: PostQueue, limit: int = 10, seconds: float = 60) -> list[Post]:
    return await queue.lease("acc", limit, seconds)


async def take_one(queue: PostQueue) -> Post:
    (post,) = await take(queue)
    return post


async def settle(queue: PostQueue, post: Post, what: Outcome = SENT) -> tuple[Did, str]:
    assert post.lease is not None
    return await queue.settle(post.id, post.lease, what)


async def lose(client: Client, post: Post) -> None:
    """Let a lease run out, as it would with time."""
    await client.zadd(PostKeys("acc", 4).timed, {post.id: 1}, xx=True)


async def states(queue: PostQueue) -> dict[str, str]:
    return {f"{post.action} {post.rank.partition(':')[0]}": post.state for post in await queue.newest("acc", 100)}


async def post_first(sinks: SocialSinks, queue: PostQueue) -> Post:
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    assert await settle(queue, post) == (Did.DONE, "sent")
    return post


async def test_a_new_article_is_posted_once_with_its_text(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    assert (post.action, post.text.splitlines()[0], post.attempts) == ("post", "Version 1", 1)
    assert await take(queue) == []


async def test_a_replay_changes_nothing(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await post_first(sinks, queue)
    await sinks.deliver([version(1, Act.NEW), version(1, Act.NEW)])
    assert await take(queue) == []
    assert await queue.counts("acc") == {"sent": 1}


async def test_a_kill_that_comes_before_its_article_keeps_it_in(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(3, Act.KILL), version(2), version(1, Act.NEW)])
    assert await take(queue) == []
    assert await queue.counts("acc") == {}


async def test_a_newer_version_takes_the_place_of_the_queued_one(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW), version(2), version(3)])
    assert (await take_one(queue)).text.splitlines()[0] == "Version 3"
    assert await states(queue) == {"post 1": "superseded", "post 2": "superseded", "post 3": "sending"}


async def test_versions_compare_as_numbers(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(9, Act.NEW), version(10), version(9)])
    assert (await take_one(queue)).rank.startswith("10:")


@pytest.mark.parametrize(
    ("choice", "action", "first_line"),
    [("edit", "edit", "Version 2"), ("reply", "reply", "Correction: Version 2"), ("repost", "post", "Version 2")],
)
async def test_a_correction_of_what_is_out_does_as_the_account_says(
    sinks: SocialSinks, choice: str, action: str, first_line: str
) -> None:
    queue = await setup(sinks, on_correction=choice)
    first = await post_first(sinks, queue)
    await sinks.deliver([version(2)])
    post = await take_one(queue)
    assert (post.action, post.text.splitlines()[0]) == (action, first_line)
    assert (post.of, post.target_id, post.target_url) == (first.id, "r1", "https://s.example/r1")


async def test_a_correction_is_left_alone_if_the_account_says_so(sinks: SocialSinks) -> None:
    queue = await setup(sinks, on_correction="none")
    await post_first(sinks, queue)
    await sinks.deliver([version(2)])
    assert await take(queue) == []


async def test_a_kill_cancels_what_is_queued(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW), version(2, Act.KILL)])
    assert await take(queue) == []
    assert await states(queue) == {"post 1": "cancelled"}


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ("delete", ""),
        ("edit", "This story has been withdrawn. Wrong person"),
        ("notice", "This story has been withdrawn. Wrong person"),
    ],
)
async def test_a_kill_of_what_is_out_jumps_the_queue(sinks: SocialSinks, choice: str, text: str) -> None:
    queue = await setup(sinks, on_kill=choice)
    first = await post_first(sinks, queue)
    await sinks.deliver([version(1, Act.NEW, uri="urn:b"), version(2, Act.KILL, ed_note="Wrong person")])
    recall, other = await take(queue)
    assert (recall.action, recall.text, recall.of, recall.target_id) == (choice, text, first.id, "r1")
    assert other.uri == "urn:b"
    await settle(queue, recall, Outcome("sent"))
    assert (await queue.get(first.id) or first).state == "recalled"


async def test_a_kill_takes_back_every_post_that_is_out(sinks: SocialSinks) -> None:
    queue = await setup(sinks, on_correction="repost")
    await post_first(sinks, queue)
    await sinks.deliver([version(2)])
    await settle(queue, await take_one(queue), Outcome("sent", remote_id="r2"))
    await sinks.deliver([version(3, Act.WITHHOLD)])
    recalls = await take(queue)
    assert [(post.action, post.target_id) for post in recalls] == [("delete", "r1"), ("delete", "r2")]
    assert len({post.id for post in recalls}) == 2
    for post in recalls:
        await settle(queue, post, Outcome("sent"))
    assert await queue.counts("acc") == {"recalled": 2, "sent": 2}


async def test_an_expiry_empties_the_queue_and_leaves_what_is_out(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await post_first(sinks, queue)
    await sinks.deliver(
        [version(2), version(3, Act.EXPIRE), version(1, Act.NEW, "urn:b"), version(2, Act.EXPIRE, "urn:b")]
    )
    assert await take(queue) == []
    assert await queue.counts("acc") == {"cancelled": 2, "sent": 1}


async def test_a_reinstated_story_is_posted_again(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await post_first(sinks, queue)
    await sinks.deliver([version(2, Act.WITHHOLD)])
    await settle(queue, await take_one(queue), Outcome("sent"))
    await sinks.deliver([version(3, Act.REINSTATE)])
    post = await take_one(queue)
    assert (post.action, post.of) == ("post", None)


async def test_a_kill_while_the_post_is_being_sent_recalls_it_once_it_is_out(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2, Act.KILL)])
    assert await take(queue) == []
    assert await states(queue) == {"post 1": "sending", "delete 2": "held"}
    await settle(queue, post)
    recall = await take_one(queue)
    assert (recall.action, recall.target_id) == ("delete", "r1")


async def test_a_kill_while_a_post_fails_leaves_nothing_to_do(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2, Act.KILL)])
    assert await settle(queue, post, Outcome("failed", error="503", retry_in=0)) == (Did.DONE, "cancelled")
    assert await take(queue) == []
    assert await queue.counts("acc") == {"cancelled": 1}


async def test_a_kill_recalls_also_a_post_whose_lease_was_lost(sinks: SocialSinks, client: Client) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2, Act.KILL)])
    await lose(client, post)
    recall = await take_one(queue)
    assert (recall.action, recall.of, recall.target_id, recall.uncertain) == ("delete", post.id, None, True)


async def test_a_kill_recalls_a_post_that_waits_to_be_tried_again_after_a_lost_lease(
    sinks: SocialSinks, client: Client
) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await lose(client, post)
    await queue.counts("acc")
    await sinks.deliver([version(2, Act.KILL)])
    recall = await take_one(queue)
    assert (recall.action, recall.of, recall.uncertain) == ("delete", post.id, True)


async def test_a_lost_lease_comes_back_with_the_same_id(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    (first,) = await take(queue, seconds=0.02)
    again: Sequence[Post] = []
    async with asyncio.timeout(5):
        while not again:
            again = await take(queue)
    assert again[0].id == first.id
    assert again[0].lease != first.lease
    assert again[0].attempts == 2


async def test_a_poster_that_was_only_slow_may_still_settle(sinks: SocialSinks, client: Client) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await lose(client, post)
    await queue.counts("acc")
    assert await settle(queue, post) == (Did.DONE, "sent")
    assert await take(queue) == []


async def test_an_outdated_lease_settles_nothing(sinks: SocialSinks, client: Client) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    old = await take_one(queue)
    await lose(client, old)
    new = await take_one(queue)
    assert await settle(queue, old) == (Did.REFUSED, "sending")
    assert await settle(queue, new) == (Did.DONE, "sent")


async def test_to_settle_twice_answers_the_same(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    failed = Outcome("failed", error="503", retry_in=0)
    assert await settle(queue, post, failed) == (Did.DONE, "queued")
    again = await take_one(queue)
    assert await settle(queue, post, failed) == (Did.DONE, "queued")
    assert await settle(queue, again) == (Did.DONE, "sent")
    assert await settle(queue, again) == (Did.DONE, "sent")
    assert await queue.counts("acc") == {"sent": 1}


async def test_a_failure_waits_its_time_and_holds_up_nothing(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW), version(1, Act.NEW, "urn:b")])
    (first,) = await take(queue, 1)
    await settle(queue, first, Outcome("failed", error="429", retry_in=3600))
    assert [post.uri for post in await take(queue)] == ["urn:b"]


async def test_a_correction_while_sending_edits_what_went_out(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2), version(3)])
    await settle(queue, post)
    edit = await take_one(queue)
    assert (edit.action, edit.target_id, edit.text.splitlines()[0]) == ("edit", "r1", "Version 3")
    assert await states(queue) == {"post 1": "sent", "edit 2": "superseded", "edit 3": "sending"}


async def test_a_retry_sends_the_newest_version(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2)])
    assert await settle(queue, post, Outcome("failed", retry_in=0)) == (Did.DONE, "superseded")
    newest = await take_one(queue)
    assert (newest.action, newest.of, newest.text.splitlines()[0]) == ("post", None, "Version 2")


async def test_a_correction_after_a_lost_lease_says_that_an_earlier_post_may_be_out(
    sinks: SocialSinks, client: Client
) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2)])
    await lose(client, post)
    newest = await take_one(queue)
    assert (newest.action, newest.of, newest.uncertain) == ("post", post.id, True)


async def test_a_late_word_that_a_post_is_out_turns_the_next_into_an_edit(sinks: SocialSinks, client: Client) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2)])
    await lose(client, post)
    await queue.counts("acc")
    assert await settle(queue, post) == (Did.REFUSED, "superseded")
    edit = await take_one(queue)
    assert (edit.action, edit.target_id, edit.uncertain) == ("edit", "r1", False)


async def test_a_late_word_that_a_killed_post_is_out_takes_it_back(sinks: SocialSinks, client: Client) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await sinks.deliver([version(2, Act.KILL)])
    await lose(client, post)
    await settle(queue, await take_one(queue), Outcome("sent"))
    assert await settle(queue, post) == (Did.REFUSED, "recalled")
    recall = await take_one(queue)
    assert (recall.action, recall.target_id) == ("delete", "r1")
    await settle(queue, post)
    assert await take(queue) == []


async def test_a_story_reinstated_after_a_lost_recall_is_posted_in_doubt(sinks: SocialSinks, client: Client) -> None:
    queue = await setup(sinks)
    await post_first(sinks, queue)
    await sinks.deliver([version(2, Act.WITHHOLD)])
    recall = await take_one(queue)
    await lose(client, recall)
    await queue.counts("acc")
    await sinks.deliver([version(3, Act.REINSTATE)])
    post = await take_one(queue)
    assert (post.action, post.target_id, post.uncertain) == ("post", "r1", True)


async def test_no_post_goes_to_two_posters(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW, f"urn:{n}") for n in range(60)])
    handed = await asyncio.gather(*[take(queue, 3) for _ in range(40)])
    ids = [post.id for posts in handed for post in posts]
    assert len(ids) == len(set(ids)) == 60


async def test_rival_deliveries_of_all_versions_leave_the_newest_alone(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    orders = [[version(n) for n in numbers] for numbers in ((1, 2, 3, 4, 5), (5, 4, 3, 2, 1), (3, 1, 5, 2, 4))]
    await asyncio.gather(*[sinks.deliver([each]) for order in orders for each in order])
    assert (await take_one(queue)).rank.startswith("5:")
    assert await take(queue) == []


async def test_a_cancelled_post_can_be_sent_again(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    (post,) = await queue.newest("acc", 1)
    assert await queue.act(post.id, "cancel") == (Did.DONE, "cancelled")
    assert await take(queue) == []
    assert await queue.act(post.id, "resend") == (Did.DONE, "queued")
    assert (await take_one(queue)).id == post.id


async def test_what_a_newer_version_has_overtaken_is_not_sent_again(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    post = await take_one(queue)
    await settle(queue, post, Outcome("failed", error="403"))
    await sinks.deliver([version(2, Act.KILL)])
    assert await queue.act(post.id, "resend") == (Did.OVERTAKEN, "failed")


async def test_a_held_correction_that_was_cancelled_and_resent_still_waits_for_the_lease(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([version(1, Act.NEW)])
    first = await take_one(queue)
    await sinks.deliver([version(2)])
    (held,) = await queue.newest("acc", 10, "held")
    await queue.act(held.id, "cancel")
    assert await queue.act(held.id, "resend") == (Did.DONE, "held")
    await settle(queue, first)
    edit = await take_one(queue)
    assert (edit.id, edit.action) == (held.id, "edit")


async def test_the_oldest_posts_that_are_done_make_room_and_can_still_be_recalled(
    sinks: SocialSinks, client: Client
) -> None:
    await setup(sinks)
    sinks.queue = queue = PostQueue(client, 4, kept=3)
    await post_first(sinks, queue)
    await sinks.deliver([version(1, Act.NEW, f"urn:{n}") for n in range(5)])
    assert await queue.counts("acc") == {"queued": 5}
    await sinks.deliver([version(2, Act.KILL)])
    assert [post.target_id for post in await take(queue, 1)] == ["r1"]


async def test_a_version_number_of_any_size_stays_exact(sinks: SocialSinks) -> None:
    queue = await setup(sinks)
    await sinks.deliver([_huge(2**53 - 2), _huge(2**53 - 1)])
    assert (await take_one(queue)).rank.startswith(f"{2**53 - 1}:")


def _huge(number: int) -> Dispatch:
    dispatch = version(1, Act.NEW)
    article = dispatch.article.model_copy(update={"version": number})
    return Dispatch("acc", Act.NEW, article, MOMENT, MOMENT, MOMENT, "trace-1")


async def test_the_filters_are_one_object_until_an_account_changes(sinks: SocialSinks) -> None:
    await setup(sinks, languages=["de"], filter={"sections": ["Sport"]})
    first = await sinks.filters()
    assert await sinks.filters() is first
    wanted = first["acc"].all
    assert (wanted[0].sections, wanted[1].languages) == (("Sport",), ("de",))
    await setup(sinks)
    assert await sinks.filters() is not first


async def test_a_deleted_account_takes_nothing_and_stops_nothing(sinks: SocialSinks, client: Client) -> None:
    await sinks.deliver([version(1, Act.NEW)])
    assert await client.keys("post:*") == []
