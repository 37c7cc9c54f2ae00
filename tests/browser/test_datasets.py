"""Data sets: chosen while one sees what they give, built, taken along, compared; and copied in a form that gives the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.watching import Watched
from tests.fixtures.postgres import with_database
from tests.fixtures.studio import ROOT, Studio

PATIENCE = 60_000  # milliseconds for a build on a machine that does other things as well


def section(watched: Watched, name: str) -> Locator:
    return watched.main().locator("section", has=watched.page.get_by_role("heading", name=name, exact=True))


async def copied(watched: Watched, way: str) -> str:
    """What the copy button puts on the clipboard."""
    same = section(watched, "The same as")
    await same.get_by_role("button", name=way, exact=True).click()
    await same.get_by_role("button", name="Copy").click()
    await expect(watched.page.get_by_text(f"{way} copied").last).to_be_visible()
    return str(await watched.page.evaluate("navigator.clipboard.readText()"))


def built(studio: Studio, answer: Any) -> str:
    """The fingerprint that a build came to."""
    task = studio.wait_for(f"/ml/datasets/work/{answer['id']}", lambda task: task["state"] in {"done", "failed"})
    assert task["state"] == "done", task
    return str(task["result"])


@pytest.fixture
def shell(studio: Studio, postgres_dsn: str, worker_id: str, tmp_path: Path) -> Any:
    """Runs what was copied as somebody would who sits at the server; what it printed."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "tensoe").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m backend.cli "$@" --json\n')
    (tools / "tensoe").chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        "TENSOE_HOME": str(studio.log.parent),
        "DATABASE_URL": with_database(postgres_dsn, f"studio_{worker_id}"),
    }  # fmt: skip

    def run(command: list[str], text: str) -> str:
        done = subprocess.run(
            command, input=text, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


async def test_what_is_chosen_is_seen_built_and_the_same_when_copied(watched: Watched, shell: Any) -> None:
    page, main = watched.page, watched.main()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await watched.open("/studio/datasets")
    await main.get_by_role("link", name="New data set").click()
    preview = main.get_by_role("region", name="Preview")
    fitting = watched.studio.get("/")["data"]["tracks"]
    await expect(preview).to_contain_text(f"{fitting} tracks fit.", timeout=PATIENCE)

    await main.get_by_label("Name", exact=True).fill("chosen")
    await main.get_by_label("Target", exact=True).fill("energy")
    await main.get_by_label("Genres, any of").fill("rock")
    await expect(main.get_by_role("button", name="Without rock")).to_be_visible()
    await main.get_by_label("Year from").fill("1970")
    await main.get_by_role("radio", name="album").check(force=True)
    await main.get_by_label("Seed").fill("3")
    await main.get_by_role("checkbox", name="Form of the title").check()
    await main.get_by_role("checkbox", name="Explicit").uncheck()
    await main.get_by_role("checkbox", name="measure a naive").uncheck()
    recipe = {
        "name": "chosen", "target": "energy", "filter": {"genres": ["rock"], "year_from": 1970},
        "split": {"kind": "album", "seed": 3}, "features": [{"kind": "numbers"}],
    }  # fmt: skip
    told = watched.studio.post("/ml/datasets/preview", recipe)
    await expect(preview).to_contain_text(f"{told['fitting']} tracks fit", timeout=PATIENCE)
    await expect(preview).to_contain_text("energy known")
    parts = "Rows per part: " + ", ".join(f"{part} {rows}" for part, rows in told["parts"].items())
    await expect(preview.get_by_role("img", name=parts)).to_be_visible(timeout=PATIENCE)
    await expect(preview.get_by_role("row", name=re.compile(r"^album "))).to_contain_text("0")
    await expect(preview).to_contain_text("title × 10")
    assert "genre=rock" in page.url
    assert "split=album" in page.url, "the choice can be sent as a link"
    recipes = {way: await copied(watched, way) for way in ("CLI", "curl", "Python")}
    await main.get_by_role("button", name="Build chosen").click()
    await expect(main.get_by_role("heading", level=1, name="chosen", exact=True)).to_be_visible(timeout=PATIENCE)
    await watched.loaded()
    manifest = watched.studio.get("/ml/datasets/chosen")
    fingerprint = manifest["fingerprint"]
    assert manifest["parts"] == told["parts"]

    made = json.loads(shell(["sh"], recipes["CLI"]))
    assert (made["manifest"]["fingerprint"], made["is_new"]) == (fingerprint, False)
    assert built(watched.studio, json.loads(shell(["sh"], recipes["curl"]))) == fingerprint
    assert shell([sys.executable, "-"], recipes["Python"]).strip() == fingerprint
    # And of the built one, with its moment.
    assert built(watched.studio, json.loads(shell(["sh"], await copied(watched, "curl")))) == fingerprint
    await page.go_back()
    await expect(preview.get_by_role("img", name=parts)).to_be_visible(timeout=PATIENCE)
    await watched.pictures("dataset-builder")


async def test_a_built_one_tells_all_and_is_taken_along_and_compared(watched: Watched) -> None:
    page, main, studio = watched.page, watched.main(), watched.studio
    usual = {"target": "genre", "naive_gain": False, "features": [{"kind": "audio"}]}
    earlier = built(studio, studio.post("/ml/datasets", {"name": "page", **usual, "filter": {"year_to": 2000}}))
    later = built(studio, studio.post("/ml/datasets", {"name": "page", **usual}))
    await watched.open("/studio/datasets")
    await main.locator(f"a[href$='{later[:16]}']").click()
    await watched.loaded()
    manifest = studio.get(f"/ml/datasets/{later}")
    await expect(main.get_by_role("button", name=later)).to_be_visible()
    await expect(main.locator("dl.stats")).to_contain_text(f"{sum(manifest['parts'].values()):,}")
    await expect(section(watched, "Certificate")).to_contain_text("Passed.")
    await expect(section(watched, "Rights").get_by_role("listitem")).to_have_count(2)
    for form, ending in (("CSV", ".zip"), ("SQLite", ".sqlite")):
        async with page.expect_download(timeout=PATIENCE) as download:
            await main.get_by_role("button", name=f"Download as {form}").click()
        found = await download.value
        assert found.suggested_filename.endswith(ending), found.suggested_filename
        assert (await found.path()).stat().st_size > 1_000
    compare = section(watched, "Against another")
    await compare.get_by_label("Since").select_option(earlier[:16])
    changes = studio.get(f"/ml/datasets/{earlier}/diff/{later}?limit=1")
    await expect(compare).to_contain_text(f"Rows: {changes['rows_before']} → {changes['rows_after']}", timeout=PATIENCE)
    await expect(compare.get_by_role("row", name=re.compile("^came"))).to_contain_text(f"{changes['came']['rows']}")
    await expect(compare).to_contain_text("year_to")
    await expect(compare.get_by_role("row", name=re.compile("^release year strong"))).to_be_visible()
    await watched.pictures("dataset")

    await main.get_by_role("button", name="Remove this data set").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    await expect(main.get_by_role("heading", level=1, name="Data sets")).to_be_visible()
    await expect(main.locator(f"a[href$='{earlier[:16]}']")).to_be_visible()
    await expect(main.locator(f"a[href$='{later[:16]}']")).to_have_count(0)
    await watched.pictures("datasets")


async def test_a_leak_and_a_recipe_that_cannot_be_are_loud(watched: Watched) -> None:
    main = watched.main()
    watched.allowed.append("422")
    await watched.open("/studio/datasets/new?split=random")
    preview = main.get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("Nothing is promised.", timeout=PATIENCE)
    await main.get_by_label("Words in title, artist, album").fill("no song has this title")
    await expect(preview.get_by_role("alert")).to_contain_text("0 tracks fit the filter", timeout=PATIENCE)
    await expect(main.get_by_role("button", name="Build songs")).to_be_disabled()
    await main.get_by_label("Words in title, artist, album").fill("")
    await expect(preview.get_by_role("alert")).to_have_count(0, timeout=PATIENCE)
    await main.get_by_label("Name", exact=True).fill("No name!")
    await expect(preview.get_by_role("alert")).to_contain_text("small letters")


async def test_a_broken_promise_is_told_in_red(watched: Watched) -> None:
    """A certificate is made false on its way, as no real split can be: the page must not pass it over."""

    async def leaking(route: Any) -> None:
        answer = await route.fetch()
        told = await answer.json()
        check = told["certificate"]["checks"][0]
        check |= {
            "holds": False,
            "shared": [{"parts": ["train", "test"], "pairs": 7, "rows": {"train": 4, "test": 2}, "examples": []}],
        }
        told["certificate"]["passed"] = False
        await route.fulfill(response=answer, json=told)

    await watched.page.route("**/ml/datasets/preview", leaking)
    await watched.open("/studio/datasets/new")
    preview = watched.main().get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("Leaks.", timeout=PATIENCE)
    row = preview.get_by_role("row", name=re.compile("^artist ")).first
    await expect(row).to_contain_text("4 of train, 2 of test")
    await expect(row).to_contain_text("7")
