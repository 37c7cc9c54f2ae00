"""The map: looking, finding, drawing a line around tracks, and finding it all again in the address."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.watching import PATIENCE, Watched
from tests.fixtures.studio import Studio

COLOURS = """() => {
  const canvas = document.querySelector('canvas[data-map=points]');
  const copy = Object.assign(document.createElement('canvas'), {width: canvas.width, height: canvas.height}).getContext('2d');
  copy.drawImage(canvas, 0, 0);
  const bytes = new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  const seen = new Map();
  for (const one of bytes) if (one >>> 24 > 212) seen.set(one & 0xffffff, (seen.get(one & 0xffffff) ?? 0) + 1);
  const apart = (a, b) => Math.max(...[0, 8, 16].map((by) => Math.abs(((a >> by) & 255) - ((b >> by) & 255))));
  const found = [];  // what is blended differs by a little
  for (const [colour, n] of [...seen].sort((a, b) => b[1] - a[1])) {
    if (n > 20 && !found.some((other) => apart(colour, other) < 20)) found.push(colour);
  }
  return found.sort();
}"""
# Where a place of the grid is on the screen, from what the address says of the view.
SCREEN = """([x, y, view]) => {
  const box = document.querySelector('[role=application]').getBoundingClientRect();
  const scale = Math.min(box.width, box.height) * 0.94 / 65535 * 2 ** view[2];
  return [box.left + box.width / 2 + (x - view[0]) * scale, box.top + box.height / 2 - (y - view[1]) * scale];
}"""

UPLOAD = """async (table) => {
  const form = new FormData();
  form.append('files', new Blob([table]), 'late.csv');
  const answer = await fetch('/import/table', {method: 'POST', body: form});
  if (!answer.ok) throw new Error(await answer.text());
}"""


@pytest.fixture(autouse=True)
def _drawn(studio: Studio) -> None:
    studio.wait_for("/ml/map/state", lambda state: state["state"] == "ready")


async def until(page: Page, script: str, fits: Callable[[Any], bool]) -> Any:
    """What a script tells, once it fits: the page's own policy lets nothing be evaluated inside it again and again."""
    for _ in range(PATIENCE // 100):
        if fits(found := await page.evaluate(script)):
            return found
        await page.wait_for_timeout(100)
    raise AssertionError(f"still {found!r}")


async def settled(page: Page, script: str, fits: Callable[[Any], bool]) -> Any:
    """The same once it stays so for half a second: points are drawn part by part."""
    seen: list[Any] = []

    def stays(found: Any) -> bool:
        seen.append(found)
        return fits(found) and len(seen) > 5 and all(before == found for before in seen[-6:])

    return await until(page, script, stays)


async def opened(watched: Watched, query: str = "") -> Page:
    await watched.open(f"/studio/map{query}")
    page = watched.page
    await until(page, "() => performance.getEntriesByName('map-first-picture').length", lambda marks: marks > 0)
    await expect(page.get_by_role("region", name="In view").get_by_role("listitem").first).to_be_visible()
    return page


def view_of(page: Page) -> list[float]:
    query = parse_qs(urlsplit(page.url).query)
    return [float(query.get(name, [home])[0]) for name, home in (("x", 32767.5), ("y", 32767.5), ("z", 0))]


async def at_rest(page: Page) -> list[float]:
    """Where one looks once nothing moves any more."""
    await expect(page.locator("[role=application]")).to_have_attribute("data-moving", "false")
    return view_of(page)


async def on_screen(page: Page, track: dict[str, Any]) -> tuple[float, float]:
    x, y = await page.evaluate(SCREEN, [track["x"], track["y"], view_of(page)])
    return x, y


async def test_points_are_drawn_coloured_and_named(watched: Watched) -> None:
    page = await opened(watched)
    state = watched.studio.get("/ml/map/state")
    await expect(watched.main()).to_contain_text(f"{state['points']:,} tracks; neighbours sound alike")
    classes = watched.studio.get("/ml/map/columns/genre/legend")["classes"]
    by_genre = await settled(page, COLOURS, lambda seen: len(seen) >= min(4, len(classes)))
    await expect(page.locator("#map-names")).to_contain_text(classes[0]["name"])

    await page.get_by_label("Colour by").select_option("year")
    await expect(page).to_have_url(re.compile("by=year"))
    years = watched.studio.get("/ml/map/columns/year/legend")
    await expect(watched.main()).to_contain_text(str(round(years["low"])))
    by_year = await until(page, COLOURS, lambda seen: seen != by_genre)
    await page.go_back()
    await expect(page.get_by_label("Colour by")).to_have_value("genre")
    await until(page, COLOURS, lambda seen: len(seen) == len(by_genre) and seen != by_year)
    await watched.pictures("map")


async def test_classes_are_hidden_and_the_list_follows(watched: Watched) -> None:
    page = await opened(watched)
    first = watched.studio.get("/ml/map/columns/genre/legend")["classes"][0]
    await page.get_by_role("button", name=f"Only {first['name']}", exact=True).click()
    await expect(page.get_by_role("region", name="In view").get_by_role("heading")).to_contain_text(
        f"{first['count']:,}"
    )
    await until(page, COLOURS, lambda seen: len(seen) == 1)
    await page.reload()
    await until(page, COLOURS, lambda seen: len(seen) == 1)


async def test_the_pointer_tells_what_a_point_is_and_a_click_keeps_it(watched: Watched) -> None:
    track = watched.studio.get("/ml/map/tracks?near=40000,30000&limit=1")["data"][0]
    page = await opened(watched, f"?x={track['x']}&y={track['y']}&z=6")
    await page.mouse.move(*await on_screen(page, track))
    card = page.locator("[data-map=card]")
    await expect(card).to_contain_text(track["title"])
    await expect(card).to_contain_text(track["artist"])
    await page.mouse.click(*await on_screen(page, track))
    await expect(page.locator("[data-map=selected]")).to_contain_text(track["title"])
    await expect(page).to_have_url(re.compile(f"at={re.escape(track['id'])}"))
    await page.reload()
    await expect(page.locator("[data-map=selected]")).to_contain_text(track["title"])


async def test_the_search_flies_there(watched: Watched) -> None:
    page = await opened(watched)
    wanted = watched.studio.get("/ml/map/tracks?near=20000,45000&limit=1")["data"][0]
    await page.keyboard.press("/")
    await page.keyboard.type(f"{wanted['title']}")
    option = page.get_by_role("option").filter(has_text=wanted["artist"]).first
    await expect(option).to_be_visible()
    await option.click()
    await expect(page.locator("[data-map=selected]")).to_contain_text(wanted["title"])
    x, y, zoom = await at_rest(page)
    assert zoom >= 4
    found = parse_qs(urlsplit(page.url).query)["at"][0]
    there = watched.studio.get(f"/ml/map/tracks?id={found}")["data"][0]
    assert (round(x), round(y)) == (there["x"], there["y"])


async def test_keys_wheel_and_drag_move_it_and_the_address_brings_it_back(watched: Watched) -> None:
    page = await opened(watched)
    stage = page.get_by_role("application")
    await stage.focus()
    for key in ("+", "+", "ArrowRight", "ArrowUp"):
        await page.keyboard.press(key)
    x, y, zoom = await at_rest(page)
    assert (x > 32768, y > 32768, zoom) == (True, True, 1)
    box = await stage.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(*middle)
    await page.mouse.wheel(0, -240)
    nearer = await at_rest(page)
    assert nearer[2] == 2
    await page.mouse.down()
    await page.mouse.move(middle[0] + 120, middle[1], steps=4)
    await page.mouse.up()
    dragged = await at_rest(page)
    assert dragged[0] < nearer[0]
    again = await opened(watched, f"?{urlsplit(page.url).query}")
    assert await at_rest(again) == dragged
    await stage.focus()
    await page.keyboard.press("0")
    assert (await at_rest(page))[2] == 0


async def test_a_line_around_tracks_becomes_a_list_and_files(watched: Watched) -> None:
    page = await opened(watched)
    stage = await page.get_by_role("application").bounding_box()
    assert stage is not None
    left, top = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    await page.get_by_role("button", name="Draw a line around tracks").click()
    await page.mouse.move(left - 200, top - 200)
    await page.mouse.down()
    for x, y in ((200, -200), (200, 200), (-200, 200), (-200, -190)):
        await page.mouse.move(left + x, top + y, steps=6)
    await page.mouse.up()
    inside = page.get_by_role("region", name="Inside the line")
    await expect(inside.get_by_role("listitem").first).to_be_visible()
    line = parse_qs(urlsplit(page.url).query)["line"][0]
    count = watched.studio.get(f"/ml/map/tracks?polygon={line}")["count"]
    assert 0 < count < watched.studio.get("/ml/map/state")["points"]
    await expect(inside.get_by_role("heading")).to_contain_text(f"{count:,}")
    async with page.expect_download() as saved:
        await inside.get_by_role("link", name="CSV").click()
    file = await saved.value
    assert file.suggested_filename == "map.csv"
    rows = list(csv.DictReader(io.StringIO((await file.path()).read_text())))
    assert len(rows) == count
    assert {t["id"] for t in watched.studio.get(f"/ml/map/tracks?polygon={line}&limit=1000")["data"]} == {
        row["id"] for row in rows
    }
    for form in ("M3U", "XSPF", "JSPF"):
        await expect(inside.get_by_role("link", name=form, exact=True)).to_have_attribute(
            "href", re.compile(f"format={form.lower()}")
        )
    await watched.pictures("map-lasso")
    await inside.get_by_role("button", name="Let go").click()
    await expect(inside).to_have_count(0)


async def test_points_stay_while_the_catalogue_grows(watched: Watched) -> None:
    track = watched.studio.get("/ml/map/tracks?near=30000,30000&limit=1")["data"][0]
    before = watched.studio.get("/ml/map/state")
    page = await opened(watched, f"?x={track['x']}&y={track['y']}&z=6")
    table = "title,artist,album,genres\n" + "".join(
        f"Late song {i},Late artist,Late album {before['points']},jazz\n" for i in range(8)
    )
    await page.evaluate(UPLOAD, table)
    after = watched.studio.wait_for("/ml/map/state", lambda state: state["points"] > before["points"])
    assert (after["layout"], after["drawn"]) == (before["layout"], before["drawn"])
    moved = watched.studio.get(f"/ml/map/tracks?id={track['id']}")["data"][0]
    assert (moved["x"], moved["y"]) == (track["x"], track["y"])
    await expect(watched.main()).to_contain_text(f"{after['points']:,} tracks; neighbours", timeout=30_000)
    await page.mouse.move(*await on_screen(page, track))
    await expect(page.locator("[data-map=card]")).to_contain_text(track["title"])
    late = page.get_by_placeholder("Find a track, artist or genre")
    await late.fill("Late song 3")
    await expect(page.get_by_role("option").filter(has_text="Late song 3").first).to_be_visible()


async def test_two_fingers_zoom_and_one_moves(watched: Watched) -> None:
    page = await opened(watched)
    box = await page.get_by_role("application").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = await page.context.new_cdp_session(page)

    async def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": at[0], "y": at[1], "id": i} for i, at in enumerate(places)]
        await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    await touch("touchStart", (x - 50, y))
    await touch("touchStart", (x - 50, y), (x + 50, y))
    for apart in (70, 100, 150, 200):
        await touch("touchMove", (x - apart, y), (x + apart, y))
    await touch("touchEnd")
    pinched = await at_rest(page)
    assert 1.5 < pinched[2] < 2.5
    await touch("touchStart", (x, y))
    for by in (20, 60, 120):
        await touch("touchMove", (x + by, y))
    await touch("touchEnd")
    moved = await at_rest(page)
    assert moved[0] < pinched[0]
    assert moved[2] == pinched[2]


async def test_without_webgl_the_list_is_there(watched: Watched) -> None:
    await watched.page.add_init_script(
        "const real = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        "  return kind === 'webgl2' ? null : real.call(this, kind, ...more); };"
    )
    await watched.open("/studio/map")
    await expect(watched.main()).to_contain_text("This browser draws no WebGL 2")
    listed = watched.page.get_by_role("region", name="In view")
    await expect(listed.get_by_role("listitem").first).to_be_visible()
    await expect(listed.get_by_role("heading")).to_contain_text(f"{watched.studio.get('/ml/map/state')['points']:,}")
