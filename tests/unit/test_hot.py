"""Answers that are kept ready: never past a change, never without bound."""

from starlette.responses import Response

from newswire_runtime.hot import HotAnswers, Lease

LEASE = Lease()


def head(number: int = 0) -> bytes:
    return b"GET /feeds/all.rss?%d HTTP/1.1\r\nHost: x\r\n\r\n" % number


def keep(answers: HotAnswers, request: bytes, topic: str = "all", body: bytes = b"body") -> bool:
    return answers.keep(request, answers.ticket(topic), Response(body), LEASE, bodiless=False)


def test_an_answer_is_found_by_the_very_bytes_of_its_request() -> None:
    answers = HotAnswers()
    assert keep(answers, head(1))
    found = answers.find(head(1))
    assert found is not None
    assert (found.status, found.body, found.end) == (200, b"body", b"content-length: 4\r\n\r\n")
    assert answers.find(head(2)) is None


def test_the_answer_to_head_has_no_body() -> None:
    answers = HotAnswers()
    assert answers.keep(head(), answers.ticket("all"), Response(b"body"), LEASE, bodiless=True)
    found = answers.find(head())
    assert found is not None
    assert (found.body, found.end) == (b"", b"content-length: 4\r\n\r\n")


def test_a_change_drops_what_is_about_it_and_nothing_else() -> None:
    answers = HotAnswers()
    keep(answers, head(1))
    keep(answers, head(2), topic="other")
    answers.drop("all")
    assert answers.find(head(1)) is None
    assert answers.find(head(2)) is not None
    answers.clear()
    assert len(answers) == answers.size == 0


def test_an_answer_that_was_on_its_way_during_a_change_is_not_kept() -> None:
    for change in (lambda answers: answers.drop("all"), HotAnswers.clear):
        answers = HotAnswers()
        ticket = answers.ticket("all")
        change(answers)
        assert not answers.keep(head(), ticket, Response(b"old"), LEASE, bodiless=False)
        assert keep(answers, head())
    answers = HotAnswers()
    ticket = answers.ticket("all")
    answers.drop("other")
    assert answers.keep(head(), ticket, Response(b"right"), LEASE, bodiless=False)


def test_the_oldest_leave_when_there_are_too_many_or_too_large() -> None:
    answers = HotAnswers(most=10)
    for number in range(30):
        assert keep(answers, head(number))
    assert len(answers) == 10
    assert answers.find(head(29)) is not None
    small = HotAnswers(max_bytes=100_000)
    for number in range(30):
        keep(small, head(number), topic=f"{number}", body=bytes(20_000 + number))
    assert small.size <= 100_000
    assert small.find(head(29)) is not None
    assert not keep(small, head(99), body=bytes(50_000))


def test_a_body_that_many_answers_share_is_counted_once() -> None:
    answers, body = HotAnswers(max_bytes=100_000), bytes(20_000)
    for number in range(50):
        assert keep(answers, head(number), body=body)
    assert len(answers) == 50
    answers.drop("all")
    assert answers.size == 0


def test_a_head_of_unusual_length_is_not_kept() -> None:
    assert not keep(HotAnswers(), b"GET / HTTP/1.1\r\nX: " + b"x" * 5_000 + b"\r\n\r\n")


def test_topics_without_end_forget_everything_once() -> None:
    answers = HotAnswers()
    ticket = answers.ticket("all")
    for number in range(10_001):
        answers.drop(f"{number}")
    assert not answers.keep(head(), ticket, Response(b"x"), LEASE, bodiless=False)


def test_what_went_out_is_counted_by_status_once() -> None:
    answers = HotAnswers()
    for status in (304, 304, 200):
        answers.count(status)
    assert dict(answers.counted()) == {304: 2, 200: 1}
    assert dict(answers.counted()) == {}
