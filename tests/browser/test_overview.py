"""The overview: what there is."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.watching import Watched


async def test_the_figures_are_the_servers(watched: Watched) -> None:
    await watched.open("/")
    data = watched.studio.get("/")["data"]
    await expect(watched.main()).to_contain_text(f"{data['tracks']:,}")
    await watched.pictures("overview")
