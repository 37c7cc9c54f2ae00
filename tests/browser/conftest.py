"""The watched page that every test of the studio uses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browser.watching import WIDE, Watched
from tests.fixtures.studio import Studio


@pytest.fixture
async def watched(chromium: Browser, studio: Studio) -> AsyncIterator[Watched]:
    """A page of its own; the test fails for errors, foreign requests, moved layout and whatever axe finds serious."""
    context = await chromium.new_context(viewport=WIDE, color_scheme="light", locale="en-GB", timezone_id="UTC")  # type: ignore[arg-type]
    looked_at = Watched(await context.new_page(), studio)
    try:
        await looked_at.watch()
        yield looked_at
        await looked_at.accessible()
        assert not looked_at.complaints
    finally:
        await context.close()
