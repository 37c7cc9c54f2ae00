"""Listeners: from a file of one's own to a taste, what fits, what is missing, a comparison, and being forgotten."""

from __future__ import annotations

import json
import urllib.parse
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from backend.services.listening_service import CONSENT
from tests.browser.test_datasets import PATIENCE, section
from tests.browser.watching import Watched

UNKNOWN = [("An album nobody has", "The Absent"), ("Another one", "The Absent"), ("Far away", "Nobody Here")]


def history(path: Path, tracks: list[Any], *, years: range, every: int) -> Path:
    """An extended streaming history of Spotify, in which these tracks were played, and albums that the catalogue lacks."""
    played = [(t["title"], t["artist"], t["album"]) for t in tracks[::every]]
    played += [(f"Song {n}", artist, album) for n, (album, artist) in enumerate(UNKNOWN)]
    listens = [
        {
            "ts": f"{year}-0{1 + n % 9}-{10 + n % 18}T{n % 24:02}:{n % 60:02}:00Z", "ms_played": 200_000, "skipped": False,
            "master_metadata_track_name": title, "master_metadata_album_artist_name": artist,
            "master_metadata_album_album_name": album, "spotify_track_uri": None, "reason_end": "trackdone",
        }
        for year in years
        for n, (title, artist, album) in enumerate(played)
        if (n + year) % 3
    ]  # fmt: skip
    path.write_text(json.dumps(listens))
    return path


async def test_a_history_is_taken_in_looked_at_compared_and_erased(watched: Watched, tmp_path: Path) -> None:
    page, main, studio = watched.page, watched.main(), watched.studio
    tracks = studio.get("/ml/training-data?limit=400")["data"]
    mine = history(tmp_path / "Streaming_History_Audio_mine.json", tracks, years=range(2018, 2023), every=3)
    theirs = history(tmp_path / "Streaming_History_Audio_theirs.json", tracks, years=range(2021, 2023), every=4)

    await watched.open("/studio/listeners")
    said = await main.inner_text()
    # All that the API says of consent stands here, but for how to erase it without a page.
    assert CONSENT.split("It stays until")[0].strip() in " ".join(said.split())
    for name, file in (("somebody else", theirs), ("me", mine)):
        await watched.open("/studio/listeners")
        await main.get_by_label("Files of a listening history").set_input_files(file)
        await main.get_by_label("Whose it is", exact=True).fill(name)
        await expect(main.get_by_role("button", name="Take it in")).to_be_disabled()
        await main.get_by_role("checkbox").check()
        await main.get_by_role("button", name="Take it in").click()
        await expect(main.get_by_role("heading", level=1, name=name, exact=True)).to_be_visible(timeout=PATIENCE)
    await watched.loaded()

    profile = studio.get("/listeners/me/profile")
    await expect(main.locator("dl.stats")).to_contain_text(f"{profile['coverage']['plays']:,}")
    top = profile["genres"][0]
    await expect(section(watched, "Genres").get_by_role("img").first).to_have_attribute(
        "aria-label", f"{top['name']}: {round(100 * top['share'])} %"
    )
    await expect(main.get_by_role("img", name="energy: mean")).to_be_visible()
    await expect(section(watched, "Drift over years").get_by_role("img")).to_be_visible()
    # What the page was answered, not what another asking gives: the index goes on learning from a history just taken in.
    async with page.expect_response(lambda answer: "/listeners/me/recommendations" in answer.url) as answered:
        await page.reload()
    found = await (await answered.value).json()
    picks = section(watched, "What fits")
    await expect(picks.get_by_role("listitem")).to_have_count(
        len(found["familiar"]) + len(found["new"]), timeout=PATIENCE
    )
    await expect(picks).to_contain_text(found["familiar"][0]["reasons"][0])

    compare = section(watched, "Against another listener")
    await compare.get_by_label("Name", exact=True).fill("somebody else")
    await compare.get_by_role("button", name="Compare").click()
    likeness = studio.get(f"/listeners/me/compare/{urllib.parse.quote('somebody else')}")
    await expect(compare).to_contain_text(f"{round(100 * likeness['similarity'])} % alike", timeout=PATIENCE)
    await watched.pictures("listener")
    await main.get_by_role("button", name=f"Put all {len(UNKNOWN)} into the list").click()
    await expect(page.get_by_text(f"{len(UNKNOWN)} albums put into the list")).to_be_visible()
    await page.wait_for_url("**/studio/ingest")
    await page.go_back()
    await watched.loaded()

    await main.get_by_role("button", name="Erase me").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"{profile['coverage']['plays']} listens")
    await dialog.get_by_role("button", name="Keep").click()
    await expect(dialog).to_be_hidden()
    await main.get_by_role("button", name="Erase me").click()
    await dialog.get_by_role("button", name="Erase for good").click()
    await expect(main.get_by_role("heading", level=1, name="Listeners")).to_be_visible()
    left = [one["listener"] for one in studio.get("/listeners")["data"]]  # other tests' listeners among them
    assert "me" not in left
    assert "somebody else" in left
    await expect(section(watched, "Here already").get_by_role("listitem")).to_have_count(len(left))
    await watched.pictures("listeners")


async def test_without_a_key_it_is_said_what_to_do(watched: Watched) -> None:
    main = watched.main()
    await watched.open("/studio/listeners")
    public = section(watched, "A public name")
    await expect(public).to_contain_text("LASTFM_API_KEY not set")
    await expect(public).to_contain_text("LISTENBRAINZ_ENABLED is false")
    await expect(public.get_by_label("Last.fm")).to_be_disabled()
    watched.allowed.append("503")
    await watched.open("/studio/listeners?who=rj&source=lastfm")
    await expect(main.get_by_role("alert")).to_contain_text("LASTFM_API_KEY is not set")
