"""Exploring: from a few typed letters to a track, a list of tracks, and that list on disk."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from playwright.async_api import Locator, expect

from tests.browser.watching import Watched


def section(watched: Watched, name: str) -> Locator:
    """A part of the page, by the name over it."""
    return watched.main().locator("section", has=watched.page.get_by_role("heading", name=name, exact=True, level=2))


async def test_typing_finds_a_track_by_keyboard_alone(watched: Watched) -> None:
    page = watched.page
    await watched.open("/studio/explore")
    await page.keyboard.press("/")
    await page.keyboard.type("com togeher", delay=15)
    first = section(watched, "Tracks").get_by_role("link").first
    await expect(first).to_contain_text("Come Together")
    assert "q=com+togeher" in page.url
    await page.keyboard.press("ArrowDown")
    await expect(first).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("searchbox", name="Track, album or artist")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Come Together")
    await page.go_back()
    await expect(page.get_by_role("searchbox", name="Track, album or artist")).to_have_value("com togeher")


async def test_what_is_found_nowhere_leads_on(watched: Watched) -> None:
    watched.allowed.append("422")  # a wish of which nothing is understood
    await watched.open("/studio/explore?q=zzzzqqq")
    await expect(watched.main()).to_contain_text("Nothing is called like “zzzzqqq”")
    await watched.main().get_by_role("button", name="by sound", exact=True).last.click()
    await expect(watched.page.get_by_role("searchbox", name="How it is to sound")).to_be_focused()


async def test_the_search_in_pictures(watched: Watched) -> None:
    await watched.open("/studio/explore?q=blue")
    await expect(section(watched, "Albums").get_by_role("link").first).to_be_visible()
    await watched.pictures("explore")
    await watched.open("/studio/explore")
    await watched.pictures("explore-start")


async def test_a_wish_in_words_is_understood_in_part_and_answered(watched: Watched) -> None:
    await watched.open("/studio/explore")
    await watched.main().get_by_role("button", name="By sound").click()
    await watched.page.keyboard.type("calm jazz, 1950s, glorpy")
    await watched.page.keyboard.press("Enter")
    understood = watched.main().get_by_role("list", name="How the words were understood")
    await expect(understood).to_contain_text("glorpy not understood")
    picks = watched.main().get_by_role("list", name="Tracks that fit").get_by_role("listitem")
    await expect(picks.first).to_contain_text("195")
    await watched.pictures("explore-sound")


async def test_a_track_says_what_is_known_of_it_and_how_far_it_can_be_believed(watched: Watched) -> None:
    found = watched.studio.get("/search?q=so+what+miles+davis")["tracks"][0]
    track = watched.studio.get(f"/tracks/{found['id']}")
    genre = track["genres"][0]
    mean = watched.studio.get(f"/ml/genres/{genre.replace(' ', '%20')}")["audio_features"]["energy"]["mean"]
    await watched.open(f"/studio/track/{track['id']}")
    await expect(watched.page.get_by_role("heading", level=1)).to_contain_text("made up")
    energy = section(watched, "Sound").get_by_role("row", name="energy").last
    for value in (track["audio_features"]["energy"], mean):
        await expect(energy).to_contain_text(f"{Decimal(str(value)).quantize(Decimal('0.01'), ROUND_HALF_UP)}")
    await expect(section(watched, "Genres")).to_contain_text(genre)
    await expect(section(watched, "Reception")).to_contain_text(re.compile(r"\d+ reviews"))
    picks = section(watched, "Like it").get_by_role("list", name="Similar tracks").get_by_role("listitem")
    await expect(picks).to_have_count(10)
    await expect(picks.first).to_contain_text("shared genres: ")
    await expect(picks.first.get_by_role("img")).to_have_attribute("aria-label", re.compile("likeness 0.*sound 0"))
    await watched.main().get_by_role("button", name="Show every field's origin").click()
    origins = watched.main().get_by_role("region", name="Origins")
    await expect(origins.get_by_role("row", name="popularity")).to_contain_text("synthetic")
    await watched.pictures("track")


async def test_a_way_leads_from_song_to_song_and_can_be_passed_on(watched: Watched) -> None:
    start = watched.studio.get("/search?q=so+what+miles+davis")["tracks"][0]["id"]
    await watched.open(f"/studio/track/{start}")
    await watched.main().get_by_label("Where to").fill("come together")
    await section(watched, "A way to another song").get_by_role("button", name="Come Together").first.click()
    way = watched.main().get_by_role("list", name="The way").get_by_role("listitem")
    await expect(way).to_have_count(8)
    await expect(way.first).to_contain_text("So What")
    await expect(way.last).to_contain_text("Come Together")
    await watched.main().get_by_label("Songs").select_option("5")
    await expect(way).to_have_count(5)
    await watched.open(watched.page.url.removeprefix(watched.studio.base))
    await expect(way).to_have_count(5)


async def test_albums_and_artists_lead_to_each_other(watched: Watched) -> None:
    album = watched.studio.get("/search?q=kind+of+blue")["albums"][0]
    await watched.open(f"/studio/album/{album['id']}")
    await expect(section(watched, "Tracks").get_by_role("listitem").first).to_contain_text("So What")
    await expect(section(watched, "Albums like it").get_by_role("listitem")).to_have_count(8)
    await watched.pictures("album")
    await watched.main().get_by_role("link", name="Miles Davis").first.click()
    await expect(watched.page.get_by_role("heading", level=1)).to_contain_text("Miles Davis")
    await expect(section(watched, "Albums")).to_contain_text("Kind of Blue")
    await watched.loaded()
    await watched.pictures("artist")
    await section(watched, "Artists alike").get_by_role("link").first.click()
    await expect(watched.page.get_by_role("heading", level=1)).not_to_contain_text("Miles Davis")
    await watched.loaded()


@pytest.mark.parametrize("path", ["/studio/track/nothing", "/studio/album/nothing", "/studio/artist/nothing"])
async def test_what_is_not_there_is_said(watched: Watched, path: str) -> None:
    watched.allowed.append("404")
    await watched.open(path)
    await expect(watched.page.get_by_role("heading", level=1)).to_contain_text("No such")
    await expect(watched.main().get_by_role("alert")).to_contain_text("nothing")


async def test_a_list_is_made_put_in_order_continued_shared_and_taken_along(watched: Watched) -> None:
    page, main = watched.page, watched.main()
    await watched.open("/studio/playlist")
    await expect(main).to_contain_text("Nothing is on it yet")
    await watched.open("/studio/explore?q=blue")
    for n in range(3):
        await section(watched, "Tracks").get_by_role("button", name="on your list").nth(n).click()
    await page.get_by_role("link", name="List 3").click()
    rows = main.get_by_role("region", name="The list").get_by_role("listitem")
    await expect(rows).to_have_count(3)
    titles = await rows.get_by_role("link").all_text_contents()
    handle = rows.first.get_by_role("button", name="Move")
    await handle.focus()
    await page.keyboard.press("ArrowDown")
    await expect(rows.nth(1).get_by_role("link")).to_have_text(titles[0])
    await main.get_by_role("button", name="Go on with it").click()
    onward = main.get_by_role("list", name="Tracks that go on with it").get_by_role("listitem")
    await expect(onward).to_have_count(12)
    await watched.pictures("playlist")
    await onward.first.get_by_role("button", name="on your list").click()
    await expect(rows).to_have_count(4)
    await rows.nth(2).get_by_role("button", name="off").click()
    await expect(rows).to_have_count(3)
    await main.get_by_label("Title").fill("Blue evening")
    order = await rows.get_by_role("link").all_text_contents()
    async with page.expect_download() as download:
        await main.get_by_role("link", name="M3U").click()
    written = (await (await download.value).path()).read_text()
    assert "#PLAYLIST:Blue evening" in written
    assert [line.split(" - ", 1)[1] for line in written.splitlines() if line.startswith("#EXTINF")] == order
    await page.reload()
    await expect(rows).to_have_count(3)
    ids = [str(await link.get_attribute("href")).rsplit("/", 1)[1] for link in await rows.get_by_role("link").all()]
    await watched.open(f"/studio/playlist?tracks={'.'.join([*ids[:2], 'gone'])}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("A list passed on")
    await expect(main).to_contain_text("1 of the link are not stored here")
    await main.get_by_role("button", name="Make it your list").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your list")
    await expect(rows).to_have_count(2)
