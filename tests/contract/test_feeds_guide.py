"""Whatever docs/feeds.md tells a person to type works, against a running wire, and its addresses are served."""

import asyncio
import re
from pathlib import Path

from support.wire import Wire, running, story

GUIDE = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")
WHERE, POLL, DELTA, PAID = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


async def run(script: str, wire: Wire, folder: Path, **variables: str) -> str:
    """Run blocks of the guide as a shell does, in a folder; return what they printed."""
    given = "".join(f"{name}='{value}'\n" for name, value in variables.items())
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euc", WHERE.replace("http://127.0.0.1:8080", wire.url) + given + script),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    return printed.decode()


async def test_the_commands_of_the_guide_do_what_it_says(redis_url: str, tmp_path: Path) -> None:
    async with running(redis_url) as wire:
        await wire.submit(story("urn:a:1"))
        await wire.out("urn:a:1")
        assert await run(POLL, wire, tmp_path) == "304"
        found = re.search(r"(?im)^etag: (\S+)", (tmp_path / "head").read_text())
        assert found
        await wire.submit(story("urn:a:2"))
        await wire.out("urn:a:2")
        assert await run(DELTA, wire, tmp_path, ETAG=found[1]) == "226"
        delta = (tmp_path / "delta").read_text()
        assert "urn:a:2" in delta
        assert "urn:a:1" not in delta


async def test_the_command_for_token_feeds_opens_one_and_its_words_on_limits_hold(
    redis_url: str, tmp_path: Path
) -> None:
    async with running(redis_url) as wire:
        for name in ("paid", "other"):
            await wire.http.put(f"/v1/feeds/{name}", json={"title": name, "access": "token"})
        limited = {"role": "subscriber", "name": "reader", "entitlement": {"feeds": ["paid"]}}
        token = (await wire.http.post("/v1/tokens", json=limited)).json()["token"]
        await run(PAID, wire, tmp_path, TOKEN=token)
        assert '"version":"https://jsonfeed.org/version/1.1"' in (tmp_path / "paid").read_text()
        bearer = {"authorization": f"Bearer {token}"}
        kept = await wire.anyone.get("/feeds/paid.json", headers=bearer)
        assert kept.headers["cache-control"].startswith("private")
        assert (await wire.anyone.get("/feeds/other.json", headers=bearer)).status_code == 404
        assert (await wire.anyone.get("/feeds/paid.json", headers={"authorization": "Bearer x"})).status_code == 404


async def test_who_polls_without_an_etag_is_told_when_to_ask_again(redis_url: str) -> None:
    async with running(redis_url, poll_limit=2) as wire:
        answers = [await wire.anyone.get("/feeds/all.rss") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        polite = {"if-none-match": answers[0].headers["etag"]}
        assert (await wire.anyone.get("/feeds/all.rss", headers=polite)).status_code == 304


async def test_every_address_of_the_guide_is_served(redis_url: str) -> None:
    async with running(redis_url) as wire:
        for path in sorted(set(re.findall(r"`(/feeds[\w./]*)`", GUIDE))):
            assert (await wire.anyone.get(path)).status_code == 200, path
