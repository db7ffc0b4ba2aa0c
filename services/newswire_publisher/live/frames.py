"""The bytes of Server-Sent Events (HTML Living Standard, section 9.2).

    id: 7                      the entry's number in the log
    event: article.corrected   its type
    data: {…}                  the same JSON that a webhook push carries, on one line

``gap`` and ``overflow`` are events of the stream itself. A block with an ``id`` alone dispatches no event,
and moves the id that the client resumes from; a lone comment line only keeps the connection.
"""

RETRY_MS = 2_000
HEARTBEAT = b":\n"


def event_frame(sequence: int, event_type: str, body: bytes) -> bytes:
    """Return one event; ``body`` is JSON without line breaks."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (sequence, event_type.encode(), body)


def opening_frame(position: int | None) -> bytes:
    """Return what a stream begins with: how soon to come again, and where it stands if it begins now."""
    begin = b"retry: %d\n" % RETRY_MS
    return begin + (b"\n" if position is None else b"id: %d\n\n" % position)


def position_frame(position: int) -> bytes:
    """Return a block that only says up to where the client has seen all that was for it."""
    return b"id: %d\n\n" % position


def gap_frame(after: int, first: int) -> bytes:
    """Return the event which says that the entries between these two are kept no more."""
    body = b'{"type":"gap","after":%d,"first":%d}' % (after, first)
    return event_frame(first - 1, "gap", body)


def overflow_frame(sent: int) -> bytes:
    """Return the event that ends the stream of a client which reads too slowly; it resumes after ``sent``."""
    return event_frame(sent, "overflow", b'{"type":"overflow","after":%d}' % sent)
