"""What a `PATCH` makes of a webhook, and what is refused at registration: pure decisions.

    webhook ─▶ its settings as JSON ─▶ merged (RFC 7396) ─▶ validated ─▶ webhook

A ``null`` takes a setting back to its default, inside ``filter`` and ``headers`` too. Each refusal has a
JSON pointer into what was sent. Another host must be verified anew where the webhook is to be challenged.
"""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from yarl import URL

from newswire_publisher.routing.impossible import impossible
from newswire_publisher.webhooks.model import Settings, Webhook
from newswire_publisher.webhooks.sendings import remembered
from newswire_publisher.webhooks.signing import Signature, parse_secret
from newswire_runtime.http import invalid_fields
from newswire_runtime.merge_patch import merged
from newswire_runtime.problems import Problem, pointer
from newswire_runtime.ssrf import AddressGuard, RefusedUrl, check_url

_ELSEWHERE = {
    "secret": "is not changed here; call POST …/rotate-secret",
    "enabled": "is not changed here; call POST …/enable or …/disable",
    "status": "is not changed here; call POST …/enable, …/disable or …/verify",
    **dict.fromkeys(("id", "owner", "created", "revision", "disabled_reason"), "cannot be changed; leave it out"),
}

SLOWEST_RATE = 1 / 86_400
"""Pushes a second; a bound below one a day is a mistake: what waits would never get out."""

_FITS = {Signature.V1: "a shared secret, whsec_…", Signature.V1A: "a private key, whsk_…"}


def patched(hook: Webhook, changes: object, guard: AddressGuard, *, challenge: bool, now: datetime) -> Webhook:
    """Return the webhook with these changes.

    Args:
        hook: As it is.
        changes: The body of the request: a JSON object of what changes (RFC 7396).
        guard: Which addresses may be called.
        challenge: Whether every address must be verified, whatever the webhook's own setting.
        now: When they are made; how its pushes went out until then stays known.

    Raises:
        Problem: 422 with pointers.
    """
    if not isinstance(changes, dict):
        raise Problem(422, "malformed-input", 'the body must be a JSON object of what changes, such as {"rate": 5}')
    misplaced = [
        {"pointer": pointer((name,)), "detail": _ELSEWHERE.get(name, "is no setting of a webhook; leave it out")}
        for name in changes
        if name not in Settings.model_fields
    ]
    if misplaced:
        raise refusal(misplaced)
    current = hook.model_dump(mode="json", include=set(Settings.model_fields), exclude_none=True)
    current["filter"] = hook.filter.model_dump(mode="json", exclude_defaults=True)
    try:
        settings = Settings.model_validate(merged(current, changes | _lower_headers(changes)))
    except ValidationError as exc:
        raise invalid_fields(exc.errors()) from exc
    check(settings, guard, before=hook)
    update = {name: getattr(settings, name) for name in Settings.model_fields}
    changed = hook.model_copy(update=update | {"verified": _is_verified(hook, settings, challenge)})
    ended, begun = hook.sending(now), changed.sending(now)
    return changed if begun == ended else changed.model_copy(update={"earlier": remembered(hook.earlier, ended)})


def _lower_headers(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changed headers under the names that they are kept by: case means nothing there."""
    given = changes.get("headers")
    if not isinstance(given, dict):
        return {}
    lower = {name.lower(): value for name, value in given.items()}
    return {"headers": lower} if len(lower) == len(given) else {}  # one that is given twice is refused as it is


def _is_verified(hook: Webhook, settings: Settings, challenge: bool) -> bool:
    if not settings.url or not (settings.challenge or challenge):
        return True
    asked_first = settings.challenge and not hook.challenge
    return hook.verified and not asked_first and origin(hook.url) == origin(settings.url)


def origin(url: str | None) -> tuple[str, str | None, int | None] | None:
    """Return what a url's owner is known by: scheme, host and port."""
    if url is None:
        return None
    parsed = URL(url)
    return parsed.scheme, parsed.raw_host, parsed.port


def check(settings: Settings, guard: AddressGuard, before: Settings | None = None) -> None:
    """Refuse an address that may not be called, a filter that matches nothing, and a rate too low: a 422 problem.

    What is as it was ``before`` is let through.
    """
    errors = []
    if settings.url is not None and (before is None or settings.url != before.url):
        try:
            check_url(settings.url, guard)
        except RefusedUrl as exc:
            errors.append({"pointer": "/url", "detail": str(exc)})
        else:
            if "#" in settings.url:
                errors.append(
                    {"pointer": "/url", "detail": "the URL has a fragment, which is never sent; leave it out"}
                )
    if (before is None or settings.filter != before.filter) and (found := impossible(settings.filter)):
        errors.append({"pointer": pointer(("filter", *found.path)), "detail": found.reason})
    if settings.rate is not None and settings.rate < SLOWEST_RATE and (before is None or settings.rate != before.rate):
        detail = f"is less than one push a day; give {SLOWEST_RATE:.6f} or more, or leave it out for no bound"
        errors.append({"pointer": "/rate", "detail": detail})
    if errors:
        raise refusal(errors, "refused-url" if errors[0]["pointer"] == "/url" else "invalid-fields")


def check_scheme(secret: str | None, scheme: Signature, otherwise: str) -> None:
    """Refuse a secret of another scheme than the one that was asked for: a 422 problem that points to it.

    Args:
        secret: What is brought, which can be read.
        scheme: What was asked for.
        otherwise: What to do if the secret is the right one.
    """
    if secret is None or parse_secret(secret).label == scheme:
        return
    it_is, fits = _FITS[Signature.V1 if scheme is Signature.V1A else Signature.V1A], _FITS[scheme]
    detail = f"it is {it_is}, and signature {scheme} takes {fits}: give one, or leave it out; or {otherwise}"
    raise refusal([{"pointer": "/secret", "detail": detail}])


def refusal(errors: list[dict[str, str]], slug: str = "invalid-fields") -> Problem:
    """Return the 422 problem that names these fields."""
    return Problem(422, slug, f"{errors[0]['pointer']}: {errors[0]['detail']}", errors=errors)
