"""The WebSub hub of the wire's own feeds (W3C Recommendation, 23 January 2018).

    POST /hub ─▶ request ─▶ pending ─202─▶ checks ─▶ GET callback, challenge echoed ─▶ subscription, lease
    feed.lua ─▶ dirty, feed's bell ─▶ due ─▶ newest document ─▶ POST callback, signed ─▶ generation delivered

All state lies on the broker, in the slot of the feed (`HubKeys`), and each step is one script:

- A request waits in ``pending`` until its callback has answered; a later one for the same topic and
  callback takes its place. Nothing of a subscription changes before it is confirmed.
- A change marks its feed dirty in the step that makes it. Whoever sees that gives each subscriber
  that has an older generation a place in ``due``; a subscriber has one place, however much changes.
- A delivery is leased, sends the document as it is then, and remembers the generation. If the feed
  has moved on meanwhile it is due again: the last state wins, and is never followed by an older one.

What can go wrong, and what follows:

- a worker is killed: its leases end, and what it had goes out again; the same document twice is harmless;
- a callback fails: it waits in ``again`` with growing delays while its lease runs, and gets the newest
  document then. Those that failed have a bounded room of their own, and so have checks: however many
  hang, the first attempt to a callback that works waits for none of them;
- a callback answers 410, its lease ends, or an operator ends it: the subscription goes;
- its topic is gone, or its token does not read it any more: nothing is sent, the subscription goes, and
  the callback is told (``hub.mode=denied``);
- a callback is or resolves to a guarded address: refused at once, or never connected;
- the change comes between request and confirmation: the generation of the request counts, so it is sent;
- the broker is away: requests are answered 503, workers look again until it is back.

A private feed is subscribed to with a token: in the topic's ``?token=``, or in the Authorization of the
request. The hub keeps the token's digest. The token itself is kept only while the callback is asked,
because it must be asked with the very topic of the request; it is in no log, no list and no Link.
"""
