"""Ingesting from the page out of the providers' stand-in: real albums, several sources, a choice by a person."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, expect

from tests.browser.watching import Watched, watching
from tests.fixtures.studio import Studio, own_database, running_studio
from tests.fixtures.twin import Twin

_NAMES = ("SPOTIFY", "LASTFM", "MUSICBRAINZ", "LISTENBRAINZ", "RECCOBEATS", "ACOUSTICBRAINZ", "DEEZER")
# The stand-in was started without limits: nothing has to be spared.
FAST = {f"{name}_RATE": "1000" for name in _NAMES} | {"AOTY_SECONDS_BETWEEN": "0"}
_HALF_A_NAME = ("Sinatra Sings", "Frank Sinatra")
_WHOLE = "Sinatra Sings Alan & Marilyn Bergman"


@pytest.fixture(scope="module")
def collecting(built: None, twin: Twin, postgres_dsn: str, worker_id: str) -> Iterator[Studio]:
    """A server with an empty catalogue whose sources are all at the stand-in."""
    with (
        tempfile.TemporaryDirectory(prefix="tensoe-studio-") as home,
        own_database(postgres_dsn, f"collecting_{worker_id}") as dsn,
        running_studio(dsn, Path(home), **twin.environment(), **twin.open_sources(), **FAST) as running,
    ):
        yield running


@pytest.fixture
async def collected(chromium: Browser, collecting: Studio) -> AsyncIterator[Watched]:
    """A watched page of that server."""
    async with watching(chromium, collecting, scheme="dark") as looked_at:
        yield looked_at


async def test_from_nothing_to_a_catalogue_with_every_source_named(collected: Watched, twin: Twin) -> None:
    page, main = collected.page, collected.main()
    await collected.open("/")
    await expect(main).to_contain_text("Nothing is stored yet.")
    await main.get_by_role("link", name="Name some albums").click()
    wanted = [(one["album"], one["artist"]) for one in twin.get("albums?n=6&seed=3")]
    text = io.StringIO()
    csv.writer(text).writerows([("album", "artist"), *wanted, _HALF_A_NAME])
    given = FilePayload(name="seven.csv", mimeType="text/csv", buffer=text.getvalue().encode())
    await page.get_by_label("Drop a list").set_input_files(given)
    await page.get_by_role("button", name="Add to the list").click()
    await expect(main).to_contain_text("7 new")
    await expect(main.get_by_role("row").filter(has_text="lastfm")).not_to_contain_text("none")
    await page.get_by_role("button", name="Ingest 7 albums").click()
    await expect(main.locator(".state")).to_have_text("finished", timeout=90_000)
    for source in ("spotify", "lastfm", "deezer"):
        await expect(main.get_by_role("img", name=f"{source}:")).to_be_visible()
    await collected.pictures("ingest-twin")
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Overview").click()
    stored = collected.studio.get("/")["data"]
    assert stored["albums"] >= 5
    await expect(main.locator("dl.stats")).to_contain_text(f"{stored['tracks']:,}")
    await expect(main).not_to_contain_text("This is the demo")

    await collected.open("/studio/ingest?view=matches")
    entry = main.get_by_role("article", name="Frank Sinatra – Sinatra Sings").filter(has_text="spotify offers")
    await expect(entry).to_contain_text(_WHOLE)
    await collected.pictures("ingest-twin-matches")
    await entry.get_by_role("button", name=_WHOLE).click()
    await expect(entry).to_have_count(0)
    found = collected.studio.get("/albums?artist=Frank%20Sinatra")["data"]
    assert [album["title"] for album in found] == [_WHOLE]
