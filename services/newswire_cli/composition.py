"""The settings and services that a command runs.

Imports of the services are inside the functions: each pulls in its frameworks,
and ``newswire --help`` needs none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from newswire_cli.failures import UsageProblem

if TYPE_CHECKING:
    from newswire_runtime.service import Service
    from newswire_runtime.settings import Settings

SERVICES = ("ingest", "enrichment", "publisher")
OUTPUTS = ("feeds", "webhooks", "social", "api")


def read_settings(**given: Any) -> Settings:
    """Return the settings of the environment; what is given, and not None, goes before them.

    Raises UsageProblem that names the variable which cannot be used.
    """
    from pydantic import ValidationError

    from newswire_runtime.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_input=False)[0]
        name = str(error["loc"][0]) if error["loc"] else ""
        said = f"--{name}" if given.get(name) is not None else f"NEWSWIRE_{name.upper()}"
        raise UsageProblem(f"{said}: {error['msg']}") from exc


def parse_outputs(text: str | None) -> frozenset[str] | None:
    """Return the publisher's outputs that ``--only`` names, separated by commas; None for all of them."""
    if text is None:
        return None
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = sorted(set(names) - set(OUTPUTS))
    if unknown or not names:
        raise UsageProblem(f"--only: {', '.join(unknown) or 'nothing'} is not known; name some of {', '.join(OUTPUTS)}")
    return frozenset(names)


def build_service(name: str, settings: Settings, only: frozenset[str] | None = None) -> Service:
    """Return one of `SERVICES`, not yet started. ``only`` picks the publisher's outputs."""
    if name == "ingest":
        from newswire_ingest.app import build as build_ingest

        return build_ingest(settings)
    if name == "enrichment":
        from newswire_enrichment.app import build as build_enrichment

        return build_enrichment(settings)
    from newswire_publisher.app import build as build_publisher

    return build_publisher(settings, only=only)


def build_all(settings: Settings) -> list[Service]:
    """Return all services for one process, in the order in which they are started."""
    return [build_service(name, settings) for name in SERVICES]
