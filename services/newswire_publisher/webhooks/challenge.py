"""Whether an address wants the pushes that somebody registered for it.

    POST {"type": "webhook.challenge", …, "data": {"challenge": token}}, signed ─▶ 2xx and the token ─▶ verified
                                                                                └─ anything else   ─▶ still pending

The token is random and kept nowhere: it counts within one call. It must come back as the whole body, or as
``{"challenge": token}``; a server that answers every request with its own body proves nothing. The call goes
through the guarded client like a push does. While a webhook is pending its log fills and nothing is pushed.
"""

import hmac
import json
import secrets
from typing import Any

from newswire_publisher.articles import message
from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.call_limit import CallLimit
from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.kept_answers import shown
from newswire_publisher.webhooks.model import Settings, Webhook
from newswire_publisher.webhooks.patching import origin
from newswire_publisher.webhooks.queue import HookQueues
from newswire_runtime.http import now
from newswire_runtime.outcome import Outcome
from newswire_runtime.strict_json import read_json

CHALLENGE_EVENT = "webhook.challenge"


class Challenger:
    """Asks addresses: first `count`, then `ask`.

    ``required``: each one is asked, and not only those of webhooks that say so.
    """

    def __init__(
        self, *, access: HookAccess, queues: HookQueues, courier: Courier, calls: CallLimit, required: bool
    ) -> None:
        self._access = access
        self._queues = queues
        self._courier = courier
        self._calls = calls
        self.required = required

    def is_due(self, settings: Settings) -> bool:
        """Return whether a webhook of these settings starts as pending."""
        return settings.url is not None and (settings.challenge or self.required)

    async def count(self, hook: Webhook) -> None:
        """Count a question before anything is written for it; raise a 429 problem if its owner has asked too often."""
        await self._calls.count(hook)

    async def ask(self, hook: Webhook) -> tuple[Webhook, dict[str, Any]]:
        """Ask a pending webhook's address once; return the webhook as it is then, and what came of it."""
        token = secrets.token_urlsafe(24)
        body = message.build(CHALLENGE_EVENT, now(), 0, json.dumps({"challenge": token}).encode())
        outcome = await self._courier.post(hook, f"challenge_{secrets.token_hex(8)}", body)
        verified = outcome.ok and is_echo(outcome.excerpt, token)
        if verified:
            hook = await self._verify(hook)
        return hook, told(outcome) | {"verified": verified, "detail": _detail(outcome, verified)}

    async def _verify(self, asked: Webhook) -> Webhook:
        def verify(hook: Webhook) -> Webhook:
            # What was asked may have moved meanwhile; then it stays as it is.
            same = origin(hook.url) == origin(asked.url)
            return hook.model_copy(update={"verified": True}) if same else hook

        change = await self._access.change(asked.id, verify)
        if change.after.verified and not change.before.verified:
            await self._queues.resume(asked.id)
        return change.after


def is_echo(answer: bytes, token: str) -> bool:
    """Return whether an answer's body is the token, or a JSON object with it as ``challenge``."""
    found: Any = answer.strip().decode(errors="replace")
    if found.startswith("{"):
        try:
            found = read_json(found).get("challenge")
        except ValueError:
            return False
    return isinstance(found, str) and hmac.compare_digest(found.encode(), token.encode())


def told(outcome: Outcome) -> dict[str, Any]:
    """Return what the owner is told of a call that is no push: a test or a challenge."""
    answer = shown(outcome)
    return {
        "status": outcome.status,
        "error": outcome.error.value if outcome.error else None,
        "detail": outcome.detail or None,
        "ms": round(outcome.duration_ms, 1),
        "response": answer.body,
        "response_headers": answer.headers,
        "truncated": answer.truncated,
    }


def _detail(outcome: Outcome, verified: bool) -> str | None:
    if verified:
        return None
    if not outcome.ok:
        return outcome.detail or f"the address answered {outcome.status}; it must answer 200 with the challenge"
    return 'the answer is not the challenge; answer with data.challenge as the body, or with {"challenge": "…"}'
