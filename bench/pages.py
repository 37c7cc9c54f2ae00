"""How soon the studio's pages are there, in a real browser: `python -m bench.pages`.

The demo catalogue behind a server of its own, Chromium without a graphics card and without anything kept from before. First
paint is the browser's own first-contentful-paint; shown is when the page has its data and nothing of it is being loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from playwright.async_api import Browser, async_playwright

from bench.home import temporary_home
from bench.map import server
from tests.fixtures.browser import FLAGS, chromium_path

_PAGES = ("/", "/studio/ingest", "/studio/explore?q=blue", "/studio/map", "/studio/analytics", "/studio/datasets")
_SHOWN = "() => document.querySelector('main h1') && !document.querySelector('main [role=status] .line')"
_PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def _wait_for_demo(base: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{base}/ml/recommendations/none", timeout=30):
                return
        except urllib.error.HTTPError as answer:
            if b"No track has the id" in answer.read():
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server does not answer")


async def _look(browser: Browser, address: str) -> tuple[float, float, int]:
    """Seconds until the first paint and until all is shown, and bytes that were sent."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    sent = 0

    def count(size: int) -> None:
        nonlocal sent
        sent += size

    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: count(int(event["encodedDataLength"])))
    await page.goto(address, wait_until="commit")
    await page.wait_for_function(_SHOWN, polling="raf")
    shown = await page.evaluate("() => performance.now()")
    painted = await page.evaluate(_PAINTED)
    await context.close()
    return painted / 1e3, shown / 1e3, sent


async def _measured(base: str, turns: int) -> list[str]:
    lines = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS, headless=True)
        for path in _PAGES:
            looks = [await _look(browser, base + path) for _ in range(turns + 1)][1:]  # the first one warms the server
            painted, shown = [look[0] for look in looks], [look[1] for look in looks]
            lines.append(
                f"{path}: first paint {statistics.median(painted):.2f} s (worst {max(painted):.2f}), "
                f"shown {statistics.median(shown):.2f} s (worst {max(shown):.2f}), {looks[-1][2] / 1e3:.0f} kB"
            )
        await browser.close()
    return lines


def measure(turns: int) -> Iterator[str]:
    """A line a page."""
    with temporary_home() as home, server(home, TENSOE_DEMO="on") as (base, _):
        _wait_for_demo(base)
        yield from asyncio.run(_measured(base, turns))


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    if chromium_path() is None:
        print("there is no Chromium on this machine", file=sys.stderr)
        return 2
    for line in measure(options.turns):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
