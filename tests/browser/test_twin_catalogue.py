"""The main task of each page over real albums from the providers' stand-in: what they show is what was collected."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.browser.test_datasets import PATIENCE
from tests.browser.test_ingest_twin import FAST
from tests.browser.watching import Watched, watching
from tests.fixtures.studio import Studio, own_database, running_studio
from tests.fixtures.twin import Twin

_ALBUMS = 30


@pytest.fixture(scope="module")
def wanted(twin: Twin) -> list[dict[str, str]]:
    """The albums that were asked for."""
    found: list[dict[str, str]] = twin.get(f"albums?n={_ALBUMS}&seed=11")
    return found


@pytest.fixture(scope="module")
def stocked(
    built: None, twin: Twin, wanted: list[dict[str, str]], postgres_dsn: str, worker_id: str
) -> Iterator[Studio]:
    """A server whose catalogue came from the stand-in for all services."""
    with (
        tempfile.TemporaryDirectory(prefix="tensoe-studio-") as home,
        own_database(postgres_dsn, f"stocked_{worker_id}") as dsn,
        running_studio(dsn, Path(home), **twin.environment(), **twin.open_sources(), **FAST) as running,
    ):
        pairs = [[one["album"], one["artist"]] for one in wanted]
        job = running.post("/ml/ingest/batch", {"albums": pairs})["job_id"]
        running.wait_for(f"/ml/jobs/{job}", lambda told: told["state"] == "finished")
        yield running


@pytest.fixture
async def looked(chromium: Browser, stocked: Studio) -> AsyncIterator[Watched]:
    """A watched page of that server."""
    async with watching(chromium, stocked) as looked_at:
        yield looked_at


def section(watched: Watched, name: str) -> Locator:
    """A part of the page, by the name over it."""
    return watched.main().locator("section", has=watched.page.get_by_role("heading", name=name, exact=True))


def an_album(studio: Studio, wanted: list[dict[str, str]]) -> Any:
    """One that came in whole, with all that is known of it."""
    for one in wanted:
        for found in studio.get(f"/albums?q={quote(one['album'])}")["data"]:
            album = studio.get(f"/albums/{found['id']}")
            if album["aoty_critic_score"] and all(track["audio_features"] for track in album["tracks"]):
                return album
    raise AssertionError("no album has both scores and audio features")


async def test_the_overview_counts_what_came_in_and_names_its_sources(looked: Watched) -> None:
    await looked.open("/")
    main, data = looked.main(), looked.studio.get("/")["data"]
    assert data["albums"] == _ALBUMS
    for name in ("tracks", "albums", "artists", "genres"):
        await expect(main.locator("dl.stats > div").filter(has_text=name)).to_contain_text(f"{data[name]:,}")
    await expect(main).not_to_contain_text("This is the demo.")
    sources = section(looked, "Sources")
    for source in ("spotify", "lastfm", "aoty", "musicbrainz"):
        await expect(sources.get_by_role("listitem").filter(has_text=source).first).to_contain_text("ok")
    await looked.pictures("twin-overview")


async def test_from_typed_letters_to_an_album_a_track_and_what_is_like_it(
    looked: Watched, twin: Twin, wanted: list[dict[str, str]]
) -> None:
    page, main = looked.page, looked.main()
    album = an_album(looked.studio, wanted)
    truth = twin.get(f"albums/{album['ids']['spotify']}")
    await looked.open("/studio/explore")
    await page.keyboard.press("/")
    await page.keyboard.type(album["title"], delay=5)
    await section(looked, "Albums").get_by_role("link", name=album["title"]).first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(album["title"])
    await looked.loaded()
    await expect(main).to_contain_text(f"{album['aoty_critic_score']:g}")
    first = truth["tracks"][0]
    await main.get_by_role("link", name=first["name"], exact=True).first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(first["name"])
    await looked.loaded()
    await expect(section(looked, "Sound").get_by_role("row", name="energy").last).to_contain_text(
        f"{album['tracks'][0]['audio_features']['energy']:.2f}"
    )
    track = album["tracks"][0]
    like = looked.studio.get(f"/ml/recommendations/{track['id']}?k=10")["data"]
    first_pick = section(looked, "Like it").get_by_role("list", name="Similar tracks").get_by_role("listitem").first
    await expect(first_pick).to_contain_text(like[0]["title"])
    await expect(first_pick).to_contain_text(like[0]["reasons"][0])
    await expect(main).not_to_contain_text("made up")
    await looked.pictures("twin-track")
    await main.get_by_role("link", name=track["artist"], exact=True).first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(track["artist"])
    await looked.loaded()
    await expect(section(looked, "Albums")).to_contain_text(album["title"])


async def test_the_map_places_all_of_it_and_flies_to_what_is_typed(
    looked: Watched, wanted: list[dict[str, str]]
) -> None:
    state = looked.studio.wait_for("/ml/map/state", lambda state: state["state"] == "ready")
    tracks = looked.studio.get("/")["data"]["tracks"]
    assert state["points"] == tracks
    await looked.open("/studio/map")
    await expect(looked.main()).to_contain_text(f"{tracks:,}")
    title = an_album(looked.studio, wanted)["tracks"][0]["title"]
    search = looked.page.get_by_role("searchbox")
    await search.fill(title)
    await (
        looked.main()
        .get_by_role("option")
        .or_(looked.main().get_by_role("listitem"))
        .filter(has_text=title)
        .first.click()
    )
    await looked.page.wait_for_url(re.compile("at=|view=|track="))
    await looked.pictures("twin-map")


async def test_analytics_narrow_each_other(looked: Watched) -> None:
    main = looked.main()
    facets = looked.studio.get("/ml/analytics/facets")
    everything = facets["fitting"]["tracks"]
    genre = facets["genres"][0]["name"]
    await looked.open("/studio/analytics")
    await expect(main).to_contain_text(f"{everything:,} tracks")
    years = section(looked, "Years")
    await years.get_by_role("button", name="Table").click()
    before = await years.get_by_role("table").inner_text()
    await section(looked, "Genres").get_by_role("button", name=re.compile(f"^{re.escape(genre)} ")).click()
    fitting = looked.studio.get(f"/ml/analytics/facets?genre={quote(genre)}")["fitting"]["tracks"]
    await expect(main).to_contain_text(f"{fitting:,} of {everything:,} tracks")
    await expect(years.get_by_role("table")).not_to_have_text(before)
    await looked.pictures("twin-analytics")


async def test_a_data_set_is_seen_before_it_is_built_and_does_not_leak(looked: Watched) -> None:
    main = looked.main()
    await looked.open("/studio/datasets")
    await main.get_by_role("link", name="New data set").first.click()
    preview = main.get_by_role("region", name="Preview")
    tracks = looked.studio.get("/")["data"]["tracks"]
    await expect(preview).to_contain_text(f"{tracks:,} tracks fit", timeout=PATIENCE)
    await main.get_by_label("Name", exact=True).fill("collected")
    await main.get_by_label("Target", exact=True).fill("popularity")
    await main.get_by_role("checkbox", name="measure a naive").uncheck()
    await expect(preview).to_contain_text("popularity known", timeout=PATIENCE)
    await main.get_by_role("button", name="Build collected").click()
    await expect(main.get_by_role("heading", level=1, name="collected", exact=True)).to_be_visible(timeout=PATIENCE)
    await looked.loaded()
    parts = looked.studio.get("/ml/datasets/collected")["parts"]
    for part, rows in parts.items():
        await expect(main).to_contain_text(re.compile(f"{part}\\D+{rows:,}"))
    await expect(section(looked, "Certificate")).to_contain_text("Passed.")
    await looked.pictures("twin-data-set")


async def test_the_quality_report_is_of_what_came_in(looked: Watched) -> None:
    await looked.open("/studio/quality")
    report = looked.studio.get("/ml/quality")["report"]
    await expect(looked.main()).to_contain_text(f"{report['rows']['catalogue']:,} tracks")
    known = {c["field"]: c for c in report["coverage"]}["duration_ms"]
    await expect(looked.main().get_by_role("img", name=f"duration ms: {round(100 * known['share'])} %")).to_be_visible()
    await looked.pictures("twin-quality")


async def test_a_public_name_becomes_a_taste(looked: Watched) -> None:
    main = looked.main()

    def profile_of(name: str) -> Any:
        return looked.studio.get(f"/users/{name}/profile?source=lastfm")

    # One of those whose charts and this small catalogue have artists in common.
    name = next(name for n in range(1, 60) if profile_of(name := f"listener-{n}")["genres"])
    await looked.open("/studio/listeners")
    await section(looked, "A public name").get_by_label("Last.fm").fill(name)
    await section(looked, "A public name").get_by_label("Last.fm").press("Enter")
    await expect(main.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=PATIENCE)
    await looked.loaded()
    top = profile_of(name)["genres"][0]
    await expect(section(looked, "Genres").get_by_role("img").first).to_have_attribute(
        "aria-label", f"{top['name']}: {round(100 * top['share'])} %"
    )
    await expect(section(looked, "What fits").get_by_role("listitem").first).to_be_visible(timeout=PATIENCE)
    await looked.pictures("twin-listener")
