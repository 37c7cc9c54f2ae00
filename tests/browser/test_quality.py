"""Quality: the catalogue and data sets, each as a page."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.test_datasets import PATIENCE, built, section
from tests.browser.watching import Watched


async def test_the_catalogues_report_and_how_far_it_moved(watched: Watched) -> None:
    main, studio = watched.main(), watched.studio
    earlier = {"name": "before", "naive_gain": False, "features": [{"kind": "audio"}], "filter": {"year_to": 1980}}
    fingerprint = built(studio, studio.post("/ml/datasets", earlier))
    await watched.open("/studio/quality")
    report = studio.get("/ml/quality")["report"]
    await expect(main).to_contain_text(f"{report['rows']['catalogue']:,} tracks")
    for finding in [f for f in report["findings"] if f["severity"] == "warning"]:
        await expect(section(watched, "Look at this first")).to_contain_text(finding["said"])
    known = {c["field"]: c for c in report["coverage"]}["duration_ms"]
    coverage = main.get_by_role("img", name=f"duration ms: {round(100 * known['share'])} %")
    assert (
        await coverage.get_attribute("aria-label")
    ) == f"duration ms: {round(100 * known['share'])} %, demo {known['known']}"
    await expect(main.get_by_role("img", name="tempo: ")).to_have_count(2)
    await expect(section(watched, "Duplicates")).to_contain_text("No two tracks")
    await main.get_by_label("Balance of").fill("genre")
    await main.get_by_label("Balance of").press("Tab")
    await expect(main.get_by_role("heading", name="Balance of genre")).to_be_visible(timeout=PATIENCE)
    await main.get_by_label("Drift since").select_option(fingerprint[:16])
    drift = main.locator("section", has=watched.page.get_by_role("heading", name="Drift since before"))
    await expect(drift).to_contain_text("strong", timeout=PATIENCE)
    await watched.pictures("quality")
    await watched.page.go_back()
    await expect(main.get_by_role("heading", name="Drift", exact=True)).to_be_visible(timeout=PATIENCE)


async def test_a_data_sets_report_and_a_level_at_which_nothing_is(watched: Watched) -> None:
    main, studio = watched.main(), watched.studio
    asked = {"name": "reported", "target": "genre", "naive_gain": False, "features": [{"kind": "audio"}]}
    fingerprint = built(studio, studio.post("/ml/datasets", asked))
    await watched.open(f"/studio/quality?set={fingerprint[:16]}")
    rows = studio.get(f"/ml/datasets/{fingerprint}")["parts"]
    await expect(main).to_contain_text("of reported: " + ", ".join(f"{part} {n}" for part, n in rows.items()))
    await expect(section(watched, "Look at this first")).to_contain_text("problem")
    await expect(main.get_by_role("heading", name="Balance of genre")).to_be_visible()
    await watched.open("/studio/quality?rights=open&q=no+song+has+this+title")
    await expect(main).to_contain_text("tracks")
