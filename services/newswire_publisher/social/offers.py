"""What one version of an article means to an account: pure.

The queue alone knows whether an earlier version was posted. So an offer says both:
what to do if nothing is out (``first_text``), and what if something is (``after_…``).
"""

from newswire_publisher.articles.links import link_of
from newswire_publisher.routing.sinks import RETRACTIONS, Dispatch
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.render import correction_text, post_text, with_utm, withdrawal_text
from newswire_schemas.article import Act, Article

Offer = dict[str, str | bool]
"""The start of a post's record, as the queue's scripts keep it."""


def post_link(account: Account, article: Article, base_url: str) -> str:
    """Return the link that the account's posts of the article carry."""
    return with_utm(link_of(article, base_url), account.utm)


def preview(account: Account, article: Article, base_url: str) -> dict[str, str]:
    """Return the very texts that would go out: of the post, of a correcting reply, and of the notice after a kill."""
    link = post_link(account, article, base_url)
    return {
        "text": post_text(article, link, account.limits, account.template),
        "link": link,
        "correction": correction_text(article, link, account.limits),
        "withdrawal": withdrawal_text(article, account.limits),
    }


def offer_of(account: Account, dispatch: Dispatch, base_url: str) -> Offer:
    """Return the offer of a dispatch.

    A post's id follows from account, article and version, so that a replay makes the same.
    An expiry takes back what is queued, and leaves what is out (design section 5).
    """
    article = dispatch.article
    offer: Offer = {
        "id": f"{dispatch.sink}~{article.key}~{article.rank.version}-{article.rank.created_ms}",
        "account": dispatch.sink,
        "key": article.key,
        "uri": article.uri,
        "rank": str(article.rank),
        "trace_id": dispatch.trace_id,
        "takes": dispatch.act in RETRACTIONS,
    }
    if article.language:
        offer["language"] = article.language
    if dispatch.act in RETRACTIONS:
        return offer if dispatch.act is Act.EXPIRE else offer | _recall(account, article)
    link = post_link(account, article, base_url)
    text = post_text(article, link, account.limits, account.template)
    offer |= {"link": link, "first_text": text}
    if article.headline:
        offer["headline"] = article.headline
    return offer | _correction(account, article, link, text)


def _recall(account: Account, article: Article) -> Offer:
    text = "" if account.on_kill == "delete" else withdrawal_text(article, account.limits)
    return {"after_action": account.on_kill, "after_text": text}


def _correction(account: Account, article: Article, link: str, text: str) -> Offer:
    match account.on_correction:
        case "none":
            return {}
        case "reply":
            return {"after_action": "reply", "after_text": correction_text(article, link, account.limits)}
        case "repost":
            return {"after_action": "post", "after_text": text}
    return {"after_action": "edit", "after_text": text}
