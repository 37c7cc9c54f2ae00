"""The overview: what there is, what comes in while one looks, what to do."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.watching import Watched


async def test_what_there_is_and_that_it_is_the_demo(watched: Watched) -> None:
    await watched.open("/")
    main = watched.main()
    data = watched.studio.get("/")["data"]
    for name in ("tracks", "albums", "artists", "genres", "moods"):
        await expect(main.locator("dl.stats > div").filter(has_text=name)).to_contain_text(f"{data[name]:,}")
    await expect(main).to_contain_text(f"{data['first_year']}–{data['last_year']}")
    fields = watched.studio.get("/ml/analytics")["coverage"]["fields"]
    share = round(100 * fields["duration_ms"]["share"])
    await expect(main.get_by_role("img", name=f"duration: {share} %")).to_be_visible()
    await expect(main).to_contain_text("This is the demo.")
    await expect(main).to_contain_text("made up")
    sources = main.locator("section", has=watched.page.get_by_role("heading", name="Sources"))
    await expect(sources.get_by_role("listitem").filter(has_text="spotify")).to_contain_text("not set up")
    await expect(sources.get_by_role("listitem").filter(has_text="demo")).to_contain_text("ok")
    await watched.pictures("overview")


async def test_a_job_moves_by_itself_while_one_looks(watched: Watched) -> None:
    names = [[f"Overview album {n}", f"Nobody at all {n}"] for n in range(80)]
    job = watched.studio.post("/ml/ingest/batch", {"albums": names})["job_id"]
    watched.studio.post(f"/ml/jobs/{job}/pause")
    await watched.open("/")
    row = watched.main().get_by_role("listitem").filter(has=watched.page.locator(f"a[href$='{job}']"))
    await expect(row).to_contain_text("paused")
    watched.studio.post(f"/ml/jobs/{job}/resume")
    await expect(row).to_contain_text("finished", timeout=30_000)
    await expect(row).to_contain_text("80 not found")


async def test_what_was_exported_can_be_taken_along(watched: Watched) -> None:
    watched.studio.post("/ml/export/training-data?filename=overview.csv&limit=5")
    await watched.open("/")
    async with watched.page.expect_download() as download:
        await watched.main().get_by_role("link", name="overview.csv").click()
    path = await (await download.value).path()
    assert len(path.read_text().splitlines()) == 6
