"""The watched page that every test of the studio uses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browser.watching import Watched, watching
from tests.fixtures.studio import Studio


@pytest.fixture
async def watched(chromium: Browser, studio: Studio) -> AsyncIterator[Watched]:
    """A page of its own; the test fails for errors, foreign requests, moved layout and whatever axe finds serious."""
    async with watching(chromium, studio) as looked_at:
        yield looked_at
