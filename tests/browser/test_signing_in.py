"""A server that wants a key: the page asks for it when it is needed, and goes on with what was asked for."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.watching import Watched, watching
from tests.fixtures.studio import Studio, own_database, running_studio

_SET = "a-key-that-stands-in-the-settings"


def _made(server: Studio) -> str:
    """A key that can be revoked: only such a one opens a session."""
    headers = {"x-api-key": _SET, "content-type": "application/json"}
    asked = json.dumps({"name": "browser", "scopes": ["admin"]}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{server.base}/system/keys", asked, headers)) as answer:
        return str(json.load(answer)["key"])


@pytest.fixture(scope="module")
def locked(built: None, postgres_dsn: str, worker_id: str) -> Iterator[Studio]:
    """A server with a key and nothing stored."""
    with (
        tempfile.TemporaryDirectory(prefix="tensoe-studio-") as home,
        own_database(postgres_dsn, f"locked_{worker_id}") as dsn,
        running_studio(dsn, Path(home), API_KEYS=_SET, TENSOE_DEMO="off") as running,
    ):
        yield running


@pytest.fixture
async def outside(chromium: Browser, locked: Studio) -> AsyncIterator[Watched]:
    """A watched page of somebody who has not signed in."""
    async with watching(chromium, locked, allowed=["401"]) as looked_at:
        yield looked_at


async def test_a_key_is_asked_for_when_it_is_needed_and_work_goes_on(outside: Watched) -> None:
    page, main, key = outside.page, outside.main(), _made(outside.studio)
    await outside.open("/studio/ingest")
    await page.get_by_label("Artist", exact=True).fill("The Beatles")
    await page.get_by_label("Album", exact=True).fill("Abbey Road")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Ingest 1 album").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("Writing needs an API key")
    await outside.accessible()
    await page.keyboard.press("Escape")
    await expect(main.get_by_role("alert")).to_contain_text("Writing needs an API key")

    await page.get_by_role("button", name="Ingest 1 album").click()
    await question.get_by_label("API key").fill("not the key")
    await question.get_by_role("button", name="Sign in").click()
    await expect(question.get_by_role("alert")).to_contain_text("key")
    await question.get_by_label("API key").fill(key)
    await question.get_by_role("button", name="Sign in").click()
    await expect(main.locator(".state")).to_have_text("finished")
    kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert key not in kept
    assert "tensoe_session" not in kept, "scripts do not see the session"
