"""Ingesting from the page: a list put together, planned, started, followed, reported on; files; what a person decides."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.async_api import FilePayload, Locator, expect

from tests.browser.watching import Watched

HISTORY = """[{"ts": "2024-03-01T10:00:00Z", "ms_played": 200000, "master_metadata_track_name": "Come Together",
"master_metadata_album_artist_name": "The Beatles", "master_metadata_album_album_name": "Abbey Road", "skipped": false,
"spotify_track_uri": "spotify:track:2EqlS6tkEnglzr7tkKAAYD", "incognito_mode": false}]"""


async def _name(watched: Watched, artist: str, album: str) -> None:
    await watched.page.get_by_label("Artist", exact=True).fill(artist)
    await watched.page.get_by_label("Album", exact=True).fill(album)
    await watched.page.keyboard.press("Enter")


def _file(name: str, text: str) -> FilePayload:
    return FilePayload(name=name, mimeType="text/plain", buffer=text.encode())


async def _give(watched: Watched, name: str, text: str) -> Locator:
    await watched.page.get_by_label("Drop a list").set_input_files(_file(name, text))
    return watched.page.locator(".card").filter(has_text=name)


async def test_a_list_from_names_to_the_report(watched: Watched) -> None:
    page, main = watched.page, watched.main()
    await watched.open("/studio/ingest")
    await _name(watched, "The Beatles", "Abbey Road")
    await expect(page.get_by_label("Artist", exact=True)).to_be_focused()
    await _name(watched, "the beatles", "abbey road")
    await expect(page.get_by_role("status").filter(has_text="in the list already")).to_be_visible()
    await _name(watched, "Nobody at all", "No such album")
    await expect(main).to_contain_text("1 new, 1 stored and fresh")
    await expect(main.get_by_role("row").filter(has_text="demo")).to_be_visible()
    await watched.pictures("ingest")

    await page.get_by_role("button", name="Ingest 2 albums").click()
    await expect(main.locator(".state")).to_have_text("finished")
    await expect(main).to_contain_text("1 complete")
    await expect(main.get_by_role("row").filter(has_text="Abbey Road")).to_contain_text("complete")
    job = page.url.split("job=")[1]
    assert watched.studio.get(f"/ml/jobs/{job}")["counts"]["complete"] == 1

    await page.get_by_role("group", name="Albums that became").get_by_role("button", name="not found").click()
    assert "result=not_found" in page.url
    albums = page.get_by_role("table", name="Albums of the job")
    await expect(albums.get_by_role("row")).to_have_count(2)
    await expect(albums).to_contain_text("No such album")
    await page.go_back()
    await expect(albums.get_by_role("row")).to_have_count(3)

    await page.get_by_role("button", name="How sources answered for No such album").click()
    await expect(page.get_by_role("dialog")).to_contain_text("spotify")
    await watched.accessible()
    await page.keyboard.press("Escape")
    await watched.pictures("ingest-report")

    async with page.expect_download() as download:
        await main.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(await (await download.value).path()).read_text())))
    assert {(row["album"], row["result"]) for row in rows} == {
        ("Abbey Road", "complete"),
        ("No such album", "not_found"),
    }

    await page.get_by_label("not found 1").check()
    await page.get_by_role("button", name="Take 1 up again").click()
    await expect(main).to_contain_text("retry, finished")
    assert page.url.split("job=")[1] != job


async def test_a_job_is_held_and_resumed(watched: Watched) -> None:
    page, main = watched.page, watched.main()
    names = [[f"Held album {n}", f"Nobody whosoever {n}"] for n in range(80)]
    job = watched.studio.post("/ml/ingest/batch", {"albums": names})["job_id"]
    watched.studio.post(f"/ml/jobs/{job}/pause")
    await watched.open(f"/studio/ingest?job={job}")
    await expect(main.locator(".state")).to_have_text("paused")
    await page.get_by_role("button", name="Resume").click()
    await expect(main.locator(".state")).to_have_text("finished", timeout=90_000)
    await expect(page.get_by_role("button", name="not found 80")).to_be_visible()


async def test_a_job_is_called_off(watched: Watched) -> None:
    names = [[f"Dropped album {n}", f"Nobody whosoever {n}"] for n in range(80)]
    job = watched.studio.post("/ml/ingest/batch", {"albums": names})["job_id"]
    watched.studio.post(f"/ml/jobs/{job}/pause")
    await watched.open(f"/studio/ingest?job={job}")
    await watched.page.get_by_role("button", name="Cancel").click()
    await expect(watched.main().locator(".state")).to_have_text("cancelled")
    counts = watched.studio.get(f"/ml/jobs/{job}")["counts"]
    assert counts["cancelled"] > 0
    await expect(watched.page.get_by_role("button", name=f"cancelled {counts['cancelled']}")).to_be_visible()


async def test_a_job_nobody_made_is_named(watched: Watched) -> None:
    watched.allowed.append("404")
    await watched.open("/studio/ingest?job=nothing")
    await expect(watched.page.get_by_role("alert")).to_contain_text("No job has the id 'nothing'")


async def test_lists_by_pasting_and_by_file(watched: Watched) -> None:
    page, main = watched.page, watched.main()
    watched.allowed.append("422")
    await watched.open("/studio/ingest")
    await page.get_by_label("Artist", exact=True).focus()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate("navigator.clipboard.writeText('Abbey Road,The Beatles\\nKind of Blue,Miles Davis')")
    await page.keyboard.press("Control+V")
    await expect(main).to_contain_text("2 albums")
    text = "artist;album\n" + "".join(f"Nobody {n};Album {n}\n" for n in range(3_000)) + "Miles Davis;Kind of Blue\n"
    card = await _give(watched, "wanted.csv", text)
    await card.get_by_role("button", name="Add to the list").click()
    await expect(card).to_contain_text("3,000 added, 1 were in the list already")
    await expect(main).to_contain_text("3,002 albums")
    await expect(main).to_contain_text("3,000 new")
    rows = await page.get_by_role("table", name="Albums of the list").get_by_role("row").count()
    assert rows < 60, "only what is looked at is drawn"
    broken = await _give(watched, "broken.csv", "Abbey Road\n")
    await broken.get_by_role("button", name="Add to the list").click()
    await expect(broken.get_by_role("alert")).to_contain_text("line 1 has no artist")


async def test_files_of_other_forms(watched: Watched) -> None:
    page = watched.page
    await watched.open("/studio/ingest")
    scores = await _give(watched, "scores.csv", "artist,title,user_score\nThe Unheard,First Light,93\n")
    await scores.get_by_label("It is").select_option(label="a page or table of scores of Album of the Year")
    await scores.get_by_role("button", name="Take it in").click()
    await expect(scores.get_by_role("status")).to_contain_text("1 new")

    table = await _give(
        watched, "tracks.csv", "track_name,artists,album_name,tempo\nDawn,The Unheard,Second Light,136.5\n"
    )
    await table.get_by_label("It is").select_option(label="a table of tracks, albums or tags")
    await table.get_by_role("button", name="Look into it").click()
    await expect(table).to_contain_text("tempo ← tempo")
    await expect(table).to_contain_text("nothing is stored yet")
    await table.get_by_role("button", name="Take it in").click()
    await expect(table.get_by_role("status")).to_contain_text("1 row")

    watched.allowed.append("422")
    history = await _give(watched, "Streaming_History_Audio_2024.json", HISTORY)
    await history.get_by_label("Whose it is").fill("browser")
    await expect(history).to_contain_text("It stays until you erase it")
    await history.get_by_role("button", name="Take it in").click()
    await expect(history.get_by_role("alert")).to_contain_text("consent")
    await history.get_by_role("checkbox").check()
    await history.get_by_role("button", name="Take it in").click()
    await expect(history.get_by_role("status")).to_contain_text("1 of 1 listens are new")
    await watched.pictures("ingest-files")
    await page.get_by_role("button", name="Put scores.csv away").click()
    await expect(scores).to_have_count(0)


async def test_what_names_leave_open_is_decided_side_by_side(watched: Watched) -> None:
    page = watched.page
    watched.studio.post(
        "/ml/ingest/batch", {"albums": [["OK Computor Live", "Radiohead"], ["Kind of Blue Outtakes", "Miles Davis"]]}
    )
    found = watched.studio.wait_for("/albums/unmatched", lambda open_: open_["total"] >= 2)
    await watched.open("/studio/ingest?view=matches")
    entry = page.get_by_role("article", name="Miles Davis – Kind of Blue Outtakes")
    await expect(entry).to_contain_text("Kind of Blue")
    await watched.pictures("ingest-matches")
    await entry.get_by_role("button", name="Kind of Blue by Miles Davis").click()
    await expect(entry).to_have_count(0)
    other = page.get_by_role("article", name="Radiohead – OK Computor Live")
    await other.get_by_role("button", name="None of them").click()
    await expect(other).to_have_count(0)
    assert watched.studio.get("/albums/unmatched")["total"] == found["total"] - 2
