"""Build the HTTP API of the webhooks."""

from newswire_publisher.articles.search import ArticleSearch
from newswire_publisher.builders.parts import Parts
from newswire_publisher.webhooks import event_types_api
from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.acts_api import ActsApi
from newswire_publisher.webhooks.api import HookApi
from newswire_publisher.webhooks.attempts import Attempts
from newswire_publisher.webhooks.attempts_api import AttemptsApi
from newswire_publisher.webhooks.call_limit import CallLimit
from newswire_publisher.webhooks.challenge import Challenger
from newswire_publisher.webhooks.delivery import DEADLINE_SECONDS, Courier
from newswire_publisher.webhooks.dry_run import DryRuns
from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.left_out import LeftOuts
from newswire_publisher.webhooks.listing_api import ListingApi
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.log_api import LogApi
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.notices import Notices
from newswire_publisher.webhooks.notices_api import NoticesApi
from newswire_publisher.webhooks.overview import HookOverview
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.registration_api import RegistrationApi
from newswire_publisher.webhooks.repeats import Repeats
from newswire_publisher.webhooks.rotation_api import RotationApi
from newswire_publisher.webhooks.sent_requests import SentRequests
from newswire_publisher.webhooks.standings import Standings
from newswire_publisher.webhooks.unsigned import Unsigned
from newswire_runtime.conf import Table
from newswire_runtime.idempotency import Answers


def hook_routes(
    parts: Parts,
    search: ArticleSearch,
    *,
    hooks: Table[Webhook],
    queues: HookQueues,
    attempts: Attempts,
    log: HookLog,
    notices: Notices,
    courier: Courier,
    keyring: Keyring,
    unsigned: Unsigned,
) -> HookApi:
    """Return the routes of the webhooks."""
    settings = parts.settings
    access = HookAccess(hooks=hooks, tokens=parts.tokens, queues=queues)
    overview = HookOverview(Standings(parts.client, settings.partitions, settings.attempts_kept_ms), unsigned)
    calls = CallLimit(parts.client, settings.partitions)
    challenger = Challenger(
        access=access, queues=queues, courier=courier, calls=calls, required=settings.webhook_challenge == "required"
    )
    # A registration may wait for its challenge.
    answers = Answers(parts.client, settings.partitions, pending_seconds=int(DEADLINE_SECONDS * 2))
    repeats = Repeats(answers)
    left_outs = LeftOuts(parts.client, settings.partitions)
    registration = RegistrationApi(
        access=access,
        queues=queues,
        overview=overview,
        challenger=challenger,
        answers=answers,
        guard=parts.guard,
        keyring=keyring,
        limit=settings.webhook_limit,
        proof_seconds=int(settings.webhook_attempts_kept),
    )
    sent = SentRequests(parts.http, keyring, log)
    acts = ActsApi(
        access=access,
        queues=queues,
        overview=overview,
        challenger=challenger,
        courier=courier,
        sent=sent,
        calls=calls,
        dry_runs=DryRuns(search, parts.store),
    )
    return HookApi(
        [
            # Before the paths that end in an id.
            event_types_api,
            NoticesApi(access, notices),
            RotationApi(access, keyring, repeats),
            ListingApi(access, overview),
            registration,
            acts,
            LogApi(access=access, log=log, left_outs=left_outs, queues=queues, repeats=repeats),
            AttemptsApi(access=access, attempts=attempts, sent=sent, queues=queues, repeats=repeats),
        ]
    )
