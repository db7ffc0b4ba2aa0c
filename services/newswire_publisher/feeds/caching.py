"""What caches and readers are told about a feed's age.

``Cache-Control: public, no-cache, max-age=60`` says two things to two audiences:

* **no-cache** to caches: keep it, and ask before each use (RFC 9111 section 5.2.2.4). With
  max-age beside it, the more restrictive one holds (section 4.2.1). A kill must be out
  of every answer at once, and an embargo's story in: nothing may answer from memory past
  either, and none of our answers says when the next one is due. A max-age that ended
  with the embargo would tell its end to everybody; a constant one that caches honoured
  would keep killed stories alive. Asking costs 304s, and those are what is cheapest here.
* **max-age** to feed readers: they take it as how often to look, as they take the
  channel's ``ttl``. It is that many minutes, whatever the feed holds.

A feed for token holders is ``private``: no shared cache may hold it.
"""


def cache_control(ttl: int, *, private: bool) -> str:
    """Return the header's value for a feed whose channel says ``ttl`` (minutes)."""
    return f"{'private' if private else 'public'}, no-cache, max-age={ttl * 60}"


def vary(*, negotiated: bool, private: bool) -> str:
    """Return what a feed's representation depends on (RFC 9110 section 12.5.5)."""
    names = ["Accept"] if negotiated else []
    names += ["Accept-Encoding", "A-IM"]
    if private:
        names.append("Authorization")
    return ", ".join(names)
