"""The operator's commands that set things up: tokens, sources, feeds and social accounts."""

from collections.abc import Callable
from typing import Annotated

import typer

from newswire_cli.client import (
    Api,
    AsJson,
    Filter,
    Token,
    Url,
    comma_list,
    given,
    parse_json,
    part,
    print_json,
    print_rows,
    read_text,
)

Name = Annotated[str, typer.Argument(help="Its name.")]


def install(app: typer.Typer) -> None:
    """Add the commands."""
    token = typer.Typer(help="Tokens: who may call.", no_args_is_help=True)
    token.command("create")(token_create)
    token.command("list")(token_list)
    token.command("revoke")(token_revoke)
    app.add_typer(token, name="token")

    for name, columns, put, text in (
        ("source", ("name", "kind", "defaults"), source_set, "Sources: who sends articles, and their defaults."),
        ("feed", ("name", "title", "access", "limit", "filter"), feed_set, "Feeds that readers subscribe to."),
        (
            "account",
            ("name", "platform", "mode", "filter"),
            account_set,
            "Social accounts that articles are posted to.",
        ),
    ):
        group = typer.Typer(help=text, no_args_is_help=True)
        path, ingest = _PATHS[name], name == "source"
        group.command("set")(put)
        group.command("list", help="List them.")(_list_command(path, columns, ingest))
        group.command("rm", help="Remove one.")(_remove_command(path, ingest))
        if name == "feed":
            group.command("subscribers")(feed_subscribers)
            group.command("rename")(feed_rename)
        app.add_typer(group, name=name)


_PATHS = {"source": "/v1/sources", "feed": "/v1/feeds", "account": "/v1/social/accounts"}


def token_create(
    role: Annotated[str, typer.Argument(help="operator, source, integrator or subscriber.")],
    name: Name,
    expires: Annotated[str | None, typer.Option(help="When it ends, such as 2030-01-01T00:00:00Z.")] = None,
    feeds: Annotated[
        str | None, typer.Option(help="A subscriber's: the feeds it may read, with commas between.")
    ] = None,
    filter_: Annotated[
        str | None, typer.Option("--filter", help="A subscriber's: the articles it may see, as JSON.")
    ] = None,
    rights: Annotated[
        str | None, typer.Option(help="A subscriber's: of text, media and archive, those that it has; '' for none.")
    ] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a token; it is shown this once."""
    entitlement = given(
        feeds=None if feeds is None else comma_list(feeds),
        filter=None if filter_ is None else parse_json(filter_, "--filter"),
        rights=None if rights is None else comma_list(rights),
    )
    with Api(url, token) as api:
        made = api.call(
            "POST", "/v1/tokens", body=given(role=role, name=name, expires=expires, entitlement=entitlement or None)
        )
    if as_json:
        print_json(made)
    else:
        print(made["token"])


def token_list(url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List the tokens, without their secrets."""
    with Api(url, token) as api:
        print_rows(list(api.items("/v1/tokens")), ("id", "role", "name", "created", "expires"), as_json)


def token_revoke(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, from `newswire token list`.")],
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a token."""
    with Api(url, token) as api:
        api.call("DELETE", f"/v1/tokens/{part(id_)}")
    _print_done("revoked", id_, as_json)


def source_set(
    name: Name,
    kind: Annotated[str, typer.Option(help="push: it calls POST /v1/articles.")] = "push",
    language: Annotated[str | None, typer.Option(help="Language of articles that name none.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Time zone of times that name none.")] = None,
    agency: Annotated[str | None, typer.Option(help="Agency of articles that name none.")] = None,
    provider: Annotated[str | None, typer.Option(help="Provider in uris that are made.")] = None,
    section: Annotated[str | None, typer.Option(help="Section of articles that name none.")] = None,
    usage_terms: Annotated[str | None, typer.Option(help="Usage terms of articles that name none.")] = None,
    copyright_holder: Annotated[str | None, typer.Option(help="Copyright holder of articles that name none.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Set up a source and its defaults."""
    defaults = given(
        language=language,
        timezone=timezone,
        agency=agency,
        provider=provider,
        section=section,
        usage_terms=usage_terms,
        copyright_holder=copyright_holder,
    )
    with Api(url, token) as api:
        shown = api.call("PUT", f"/v1/sources/{part(name)}", ingest=True, body={"kind": kind, "defaults": defaults})
    _print_set(shown, name, as_json)


def feed_set(
    name: Name,
    title: Annotated[str | None, typer.Option(help="What readers see; the name by default.")] = None,
    filter_: Filter = "{}",
    description: Annotated[str | None, typer.Option(help="What is in it.")] = None,
    language: Annotated[str | None, typer.Option(help="Its language.")] = None,
    limit: Annotated[int | None, typer.Option(help="Entries it holds.")] = None,
    access: Annotated[str | None, typer.Option(help="public or token.")] = None,
    order: Annotated[str | None, typer.Option(help="published or updated.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Set up a feed; it fills with the published articles that match."""
    body = given(
        title=title or name,
        filter=parse_json(filter_, "--filter"),
        description=description,
        language=language,
        limit=limit,
        access=access,
        order=order,
    )
    with Api(url, token) as api:
        shown = api.call("PUT", f"/v1/feeds/{part(name)}", body=body)
    _print_set(shown, name, as_json)


def feed_rename(
    name: Name,
    to: Annotated[str, typer.Argument(help="Its new name.")],
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Give a feed another name; readers of its old addresses are sent on to the new ones."""
    with Api(url, token) as api:
        shown = api.call("POST", f"/v1/feeds/{part(name)}/rename", body={"to": to})
    _print_set(shown, to, as_json)


def feed_subscribers(name: Name, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List who is sent the feed by WebSub, until when, and what came of the last delivery."""
    with Api(url, token) as api:
        items = list(api.items("/v1/hub/subscriptions", feed=name))
    rows = items if as_json else [item | {"last": item.get("last", {}).get("outcome")} for item in items]
    print_rows(rows, ("callback", "topic", "private", "signed", "ends", "last"), as_json)


def account_set(
    name: Name,
    platform: Annotated[str, typer.Option(help="mastodon, bluesky, …")],
    filter_: Filter = "{}",
    mode: Annotated[str, typer.Option(help="manual: a poster of yours takes the posts.")] = "manual",
    base_url: Annotated[str | None, typer.Option(help="The platform's server.")] = None,
    credentials: Annotated[str | None, typer.Option(help="A file with the credentials as JSON; - is stdin.")] = None,
    languages: Annotated[str | None, typer.Option(help="Languages, with commas between.")] = None,
    template: Annotated[str | None, typer.Option(help="The post's text.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Set up a social account. Its credentials come from a file, so that no shell keeps them."""
    body = given(
        platform=platform,
        mode=mode,
        filter=parse_json(filter_, "--filter"),
        base_url=base_url,
        credentials=None if credentials is None else parse_json(read_text(credentials), "--credentials"),
        languages=comma_list(languages),
        template=template,
    )
    with Api(url, token) as api:
        shown = api.call("PUT", f"/v1/social/accounts/{part(name)}", body=body)
    _print_set(shown, name, as_json)


def _list_command(path: str, columns: tuple[str, ...], ingest: bool) -> Callable[..., None]:
    def list_(url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
        with Api(url, token) as api:
            print_rows(api.call("GET", path, ingest=ingest)["items"], columns, as_json)

    return list_


def _remove_command(path: str, ingest: bool) -> Callable[..., None]:
    def remove(name: Name, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
        with Api(url, token) as api:
            api.call("DELETE", f"{path}/{part(name)}", ingest=ingest)
        _print_done("removed", name, as_json)

    return remove


def _print_set(shown: object, name: str, as_json: bool) -> None:
    if as_json:
        print_json(shown)
    else:
        print(f"set {name}")


def _print_done(word: str, name: str, as_json: bool) -> None:
    if as_json:
        print_json({word: name})
    else:
        print(f"{word} {name}")
