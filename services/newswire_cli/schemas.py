"""Writes what others build against: ``python -m newswire_cli.schemas``, and ``--check`` for CI.

    schemas/json/{article,draft,filter}.schema.json    JSON Schema of the content model
    schemas/json/event-*.schema.json                   of each message on the wire
    schemas/json/webhook-*.schema.json                 of what a webhook carries, and samples/ of each type and format
    schemas/json/asyncapi-{service}.json               the streams that a service reads and writes (AsyncAPI 3.0)
    schemas/json/openapi.json                          the HTTP API of all services

The same code gives the same bytes on every machine: nothing in them names a host,
a process or a time.
"""

import json
import sys
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).resolve().parents[2] / "schemas" / "json"


def documents() -> dict[str, str]:
    """Return the text of every schema file by its name. Nothing is connected to."""
    from pydantic import TypeAdapter

    from newswire_publisher.webhooks import event_samples, event_schemas
    from newswire_schemas import events
    from newswire_schemas.article import Article, Draft
    from newswire_schemas.filters import Filter

    models: dict[str, Any] = {
        "article": Article,
        "draft": Draft,
        "filter": Filter,
        "event-article-received": events.ArticleReceived,
        "event-article-enriched": events.ArticleEnriched,
        "event-article-due": events.ArticleFellDue,
        "event-submission-replayed": events.SubmissionReplayed,
    }
    found: dict[str, Any] = {}
    for name, model in models.items():
        schema = TypeAdapter(model).json_schema(mode="validation")
        found[f"{name}.schema.json"] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    found |= event_schemas.documents()
    found |= {f"samples/{name}": sample for name, sample in event_samples.documents().items()}
    found |= _interfaces()
    return {name: json.dumps(value, ensure_ascii=False, indent=2) + "\n" for name, value in found.items()}


def _interfaces() -> dict[str, Any]:
    from faststream.specification import AsyncAPI

    from newswire_cli.composition import build_all
    from newswire_runtime.http import build_app
    from newswire_runtime.settings import Settings

    settings = Settings.model_construct(
        **{name: field.get_default() for name, field in Settings.model_fields.items() if name != "consumer"},
        consumer="newswire",
    )
    services = build_all(settings)
    found: dict[str, Any] = {}
    for service in services:
        specification = AsyncAPI(service.broker, title=f"newswire {service.name}", version="1").to_specification()
        found[f"asyncapi-{service.name}.json"] = _in_order(json.loads(specification.to_json()))
    found["openapi.json"] = build_app(services).openapi()
    return found


def _in_order(document: dict[str, Any]) -> dict[str, Any]:
    """Return an AsyncAPI document by the names of what is in it: FastStream keeps a broker's readers in no order."""

    def by_name(part: dict[str, Any], *names: str) -> dict[str, Any]:
        return part | {name: dict(sorted(part[name].items())) for name in names}

    return by_name(document, "channels", "operations") | {
        "components": by_name(document["components"], "messages", "schemas")
    }


def write(directory: Path = DIRECTORY) -> None:
    """Write the files, and remove those that are no longer made."""
    made = documents()
    for path in directory.rglob("*.json"):
        if _name(path, directory) not in made:
            path.unlink()
    for name, text in made.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")


def differing(directory: Path = DIRECTORY) -> list[str]:
    """Return the names of files that are missing, out of date or no longer made."""
    made = documents()
    kept = {_name(path, directory): path.read_text(encoding="utf-8") for path in directory.rglob("*.json")}
    return sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))


def _name(path: Path, directory: Path) -> str:
    return path.relative_to(directory).as_posix()


def main() -> None:
    """Write, or with ``--check`` compare and exit with 1 if anything differs."""
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        print("schemas: call it without arguments to write, or with --check to compare", file=sys.stderr)
        sys.exit(2)
    if not arguments:
        write()
    elif names := differing():
        print(f"schemas/json is out of date ({', '.join(names)}); run `make schemas`", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
