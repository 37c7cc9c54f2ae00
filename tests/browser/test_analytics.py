"""Analytics: each picture filters the others, and what is shown can be taken along."""

from __future__ import annotations

import csv
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.async_api import Locator, expect

from tests.browser.watching import Watched


def section(watched: Watched, name: str) -> Locator:
    """A part of the page, by the name over it."""
    return watched.main().locator("section", has=watched.page.get_by_role("heading", name=name, exact=True, level=2))


def fitting(watched: Watched, query: str = "") -> Any:
    return watched.studio.get(f"/ml/analytics/facets?{query}")["fitting"]


async def test_pictures_filter_each_other_and_the_address_keeps_what_is_chosen(watched: Watched) -> None:
    page, main = watched.page, watched.main()
    await watched.open("/studio/analytics")
    everything = fitting(watched)["tracks"]
    await expect(main).to_contain_text(f"{everything:,} tracks")
    moods = await section(watched, "Moods").get_by_role("listitem").first.inner_text()
    rock = section(watched, "Genres").get_by_role("button", name=re.compile("^rock "))
    before = await rock.inner_text()
    await rock.click()
    await expect(main).to_contain_text(f"{fitting(watched, 'genre=rock')['tracks']:,} of {everything:,} tracks")
    await expect(section(watched, "Moods").get_by_role("listitem").first).not_to_have_text(moods)
    assert await rock.inner_text() == before, "a picture leaves out its own condition"
    await main.get_by_label("Years from").fill("1970")
    await main.get_by_label("Years from").press("Enter")
    await main.get_by_label("Years to").fill("1979")
    await main.get_by_label("Years to").press("Enter")
    wanted = f"{fitting(watched, 'genre=rock&year_from=1970&year_to=1979')['tracks']:,} of"
    await expect(main).to_contain_text(wanted)
    assert page.url.endswith("?genre=rock&year=1970-1979")
    await page.reload()
    await expect(main).to_contain_text(wanted)
    await main.get_by_role("button", name="Take off: genre rock").click()
    await expect(main).to_contain_text(f"{fitting(watched, 'year_from=1970&year_to=1979')['tracks']:,} of")
    await page.go_back()
    await expect(main).to_contain_text(wanted)
    await main.get_by_role("button", name="Take all off").click()
    await expect(main).to_contain_text(f"{everything:,} tracks")


async def test_dragging_over_a_picture_and_clicking_a_disc_select(watched: Watched) -> None:
    page, main = watched.page, watched.main()
    await watched.open("/studio/analytics")
    picture = section(watched, "Popularity").get_by_role("img")
    await picture.scroll_into_view_if_needed()
    box = await picture.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + 0.52 * box["width"], y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 0.73 * box["width"], y, steps=4)
    await page.mouse.up()
    count = fitting(watched, "min_popularity=50&max_popularity=74")["tracks"]
    await expect(main).to_contain_text(f"{count:,} of")
    await expect(main.get_by_role("button", name="Take off: popularity 50 to 75")).to_be_visible()
    await main.get_by_role("button", name="Popularity: all again").click()
    cells = watched.studio.get("/ml/analytics/facets")["scores"]["data"]
    cell = max(cells, key=lambda c: c["albums"])
    chart = section(watched, "Critics against listeners").locator("canvas")
    await chart.scroll_into_view_if_needed()
    box = await chart.bounding_box()
    assert box
    # The cell's place on the drawn axes is the chart's own affair: looked for along the diagonal, near which most lie.
    for share in [n / 40 for n in range(8, 38)]:
        await page.mouse.click(
            box["x"] + 0.08 * box["width"] + 0.9 * share * box["width"], box["y"] + (1 - share) * 0.85 * box["height"]
        )
        if "user=" in page.url:
            break
    assert "user=" in page.url
    assert "critic=" in page.url
    assert cell["albums"] > 0


async def test_a_rectangle_over_critics_and_listeners_narrows_every_other_picture(watched: Watched) -> None:
    page, main = watched.page, watched.main()
    await watched.open("/studio/analytics")
    everything = fitting(watched)["tracks"]
    genres = await section(watched, "Genres").get_by_role("listitem").all_text_contents()
    chart = section(watched, "Critics against listeners").locator("canvas")
    await chart.scroll_into_view_if_needed()
    box = await chart.bounding_box()
    assert box
    # The upper right quarter, let go beyond the chart's edge.
    await page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.4 * box["height"])
    await page.mouse.down()
    await page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"], steps=4)
    await expect(section(watched, "Critics against listeners").locator(".drawn")).to_be_visible()
    await page.mouse.move(box["x"] + box["width"] + 40, box["y"] + 4, steps=2)
    await page.mouse.up()
    await page.wait_for_url(re.compile("user=\\d+-100.*critic=\\d+-\\d+|critic=\\d+-\\d+.*user=\\d+-100"))
    await expect(section(watched, "Critics against listeners").locator(".drawn")).to_have_count(0)
    asked = {name: values[0].split("-") for name, values in parse_qs(urlsplit(page.url).query).items()}
    limits = {
        "min_user_score": asked["user"][0],
        "max_user_score": asked["user"][1],
        "min_critic_score": asked["critic"][0],
        "max_critic_score": str(100 if asked["critic"][1] == "100" else float(asked["critic"][1]) - 0.01),
    }
    count = fitting(watched, urlencode(limits))["tracks"]
    assert 0 < count < everything
    await expect(main).to_contain_text(f"{count:,} of {everything:,} tracks")
    assert await section(watched, "Genres").get_by_role("listitem").all_text_contents() != genres


async def test_the_figures_of_a_picture_are_a_table_and_files(watched: Watched) -> None:
    page = watched.page
    await watched.open("/studio/analytics?genre=jazz")
    years = {y["year"]: y["tracks"] for y in watched.studio.get("/ml/analytics/facets?genre=jazz")["years"]}
    part = section(watched, "Years")
    async with page.expect_download() as download:
        await part.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader((await (await download.value).path()).read_text().splitlines()))
    assert {int(r["year"]): int(r["tracks"]) for r in rows if r["tracks"] != "0"} == years
    async with page.expect_download() as download:
        await part.get_by_role("button", name="JSON").click()
    read = json.loads((await (await download.value).path()).read_text())
    assert {r["year"]: r["tracks"] for r in read if r["tracks"]} == years
    await part.get_by_role("button", name="Table").click()
    await expect(part.get_by_role("table")).to_contain_text(str(next(iter(years))))
    sound = section(watched, "Sound by genre")
    await sound.get_by_role("button", name="tempo", exact=True).click()
    await expect(sound.get_by_role("img", name="How far tempo reaches, by genre")).to_be_visible()
    assert "feature=tempo" in page.url


async def test_what_fits_nothing_is_said_and_left_again(watched: Watched) -> None:
    await watched.open("/studio/analytics?artist=nobody+at+all&genre=rock")
    await expect(watched.main()).to_contain_text("Nothing fits all of it")
    await watched.main().get_by_role("button", name="Take all off").first.click()
    await expect(watched.main()).not_to_contain_text("Nothing fits all of it")


async def test_the_pictures_in_pictures(watched: Watched) -> None:
    await watched.open("/studio/analytics?genre=rock&year=1970-1989")
    await expect(section(watched, "Sound by genre").locator("canvas")).to_be_visible()
    await watched.pictures("analytics")
