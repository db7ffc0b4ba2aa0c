"""What a submission does to its article: the life-cycle of design section 5, as pure decisions.

    draft + what the desk knows ──decide──▶ Accepted(act, article)   a newer version
                                            Unchanged                the same again
                                            Stale(reason)            an older version, or the same number again
                                            Rejected(reason)         not allowed

Versions never go backwards. A submission without a version gets the next one, if
its content differs; so a page that is sent twice is one article, and one that was
edited is a correction.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from newswire_schemas.article import MAX_VERSION, Act, Article, Draft, PubStatus, Rank, to_ms

_CARRIED = tuple(
    name
    for name in Draft.model_fields
    if name not in ("uri", "version", "pub_status", "ed_note", "warnings", "version_created")
)
_NOT_CONTENT = {"uri", "version", "version_created", "first_created", "published", "warnings"}


@dataclass(frozen=True, slots=True)
class Known:
    """What the desk knows of an article: its newest version as it was accepted, and who owns it."""

    revision: int
    rank: Rank
    status: PubStatus
    digest: str
    owner: str
    article: Article


@dataclass(frozen=True, slots=True)
class Accepted:
    """A newer version, ready to be handed on."""

    act: Act
    article: Article
    digest: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The newest version says the same already."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A newer version was accepted before."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The submission may not change this article."""

    reason: str


Decision = Accepted | Unchanged | Stale | Rejected


def mint_uri(draft: Draft, owner: str) -> str:
    """Return the uri of a draft that names none: the same content from the same owner gets the same one."""
    return f"urn:newsml:{owner}:{content_digest(draft)}"


def content_digest(draft: Draft) -> str:
    """Return 32 hexadecimal digits that differ when the content does; versions and times are no content."""
    body = draft.model_dump_json(exclude=_NOT_CONTENT, exclude_defaults=True)
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


def decide(draft: Draft, known: Known | None, *, now: datetime, owner: str, may_change_all: bool) -> Decision:
    """Decide what a draft with a uri does. ``owner`` is the caller; an operator may change everyone's articles."""
    if known is not None and known.owner != owner and not may_change_all:
        return Rejected("this uri belongs to another source")
    if draft.pub_status is PubStatus.USABLE and not (draft.headline or draft.body_text or draft.body_html):
        return Rejected("nothing to publish: the item has neither a headline nor a body")
    digest = content_digest(draft)
    if known is not None:
        refusal = _not_newer(draft, known, digest)
        if refusal is not None:
            return refusal
        if known.status is PubStatus.CANCELED and draft.pub_status is not PubStatus.CANCELED:
            return Rejected("the article was killed and does not come back; send a new uri with evolved_from")
    return Accepted(_act(draft, known, now), _settle(draft, known, now), digest)


def _not_newer(draft: Draft, known: Known, digest: str) -> Unchanged | Stale | None:
    same = digest == known.digest
    version = draft.version if draft.version is not None else known.rank.version
    created = to_ms(draft.version_created) if draft.version_created else known.rank.created_ms
    if draft.version is None:
        # What the desk withheld or reinstated says the same still: a page that is read again brings nothing back.
        by_desk = known.digest.endswith(f":{digest}") and known.status is not PubStatus.CANCELED
        if same or by_desk:
            return Unchanged()
        if draft.version_created and created < known.rank.created_ms:
            return Stale(f"a version of {known.article.version_created.isoformat()} was accepted before")
        return None
    if (version, created) > known.rank:
        return None
    if same and version == known.rank.version:
        return Unchanged()
    hint = "; send a higher version" if version == known.rank.version else ""
    return Stale(f"version {known.rank.version} was accepted before{hint}")


def _act(draft: Draft, known: Known | None, now: datetime) -> Act:
    if draft.pub_status is PubStatus.CANCELED:
        return Act.KILL
    if draft.pub_status is PubStatus.WITHHELD:
        return Act.WITHHOLD
    if draft.expires is not None and draft.expires <= now:
        return Act.EXPIRE
    if known is None:
        return Act.REWRITE if draft.evolved_from else Act.NEW
    return Act.REINSTATE if known.status is PubStatus.WITHHELD else Act.CORRECTION


def _settle(draft: Draft, known: Known | None, now: datetime) -> Article:
    version, created = draft.version or 1, draft.version_created or now
    if known is not None and draft.version is None:
        version, created = _next(known, created)
    first = known.article.first_created if known else draft.first_created or created
    fields = {name: getattr(draft, name) for name in type(draft).model_fields}
    fields.update(version=version, version_created=created, first_created=first)
    if known is not None and draft.pub_status is PubStatus.WITHHELD:
        # What is withheld may be reinstated: what the notice leaves out, its embargo too, stays as it was.
        for name in _CARRIED:
            fields[name] = fields[name] or getattr(known.article, name)
    if draft.pub_status is PubStatus.CANCELED:
        fields["embargoed_until"] = None
    if known is not None and draft.pub_status is PubStatus.CANCELED:
        # A kill often names the article and no more; its notice still says what it was about.
        for name in ("headline", "language", "source", "slugline", "section"):
            fields[name] = fields[name] or getattr(known.article, name)
    return Article.model_construct(**fields)


def _next(known: Known, created: datetime) -> tuple[int, datetime]:
    """Return the version after the known one; where numbers end, the time alone makes it newer."""
    if known.rank.version < MAX_VERSION:
        return known.rank.version + 1, created
    return MAX_VERSION, max(created, known.article.version_created + timedelta(milliseconds=1))


def desk_version(
    known: Known, status: PubStatus, ed_note: str | None, now: datetime
) -> Accepted | Unchanged | Rejected:
    """Return the version with which the desk kills, withholds or reinstates an article."""
    if known.status is status:
        return Unchanged()
    if known.status is PubStatus.CANCELED:
        return Rejected("the article was killed and does not come back; send a new uri with evolved_from")
    act = {PubStatus.CANCELED: Act.KILL, PubStatus.WITHHELD: Act.WITHHOLD, PubStatus.USABLE: Act.REINSTATE}[status]
    if act is Act.REINSTATE and known.status is not PubStatus.WITHHELD:
        return Rejected("only a withheld article can be reinstated")
    version, created = _next(known, max(now, known.article.version_created))
    changed = {"pub_status": status, "version": version, "version_created": created, "ed_note": ed_note}
    return Accepted(act, known.article.model_copy(update=changed), digest=f"{status}:{known.digest}")
