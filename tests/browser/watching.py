"""A page that is watched while a test uses it, and pictures of it for people to look at."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize, expect

from tests.fixtures.studio import Studio

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "screenshots"
WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=360, height=740)
PATIENCE = 20_000  # milliseconds for what a page has to do, on a machine that does other things as well
expect.set_options(timeout=PATIENCE)

# Told to Python as it happens, so that it survives going to another page.
_WATCH = """
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    // What a person has asked for by then may push things aside; what a page loads by itself may not.
    if (navigator.userActivation.hasBeenActive || entry.hadRecentInput || entry.value < 0.001) continue;
    const moved = entry.sources.map((s) => s.node?.outerHTML?.slice(0, 120) ?? s.node?.textContent?.slice(0, 60)).join(' | ');
    window.complain(`layout shift of ${entry.value.toFixed(4)}: ${moved}`);
  }
}).observe({ type: 'layout-shift', buffered: true });
document.addEventListener('securitypolicyviolation', (event) =>
  window.complain(`content-security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
_FRAMES = "new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(seen))))"
_AXE = """async () => {
  const found = await axe.run(document, { resultTypes: ['violations'] });
  return found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `axe ${v.id}: ` + v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} ${n.any[0]?.message}`).join(' | '));
}"""


@dataclass
class Watched:
    """A page, and what it did that no page may do."""

    page: Page
    studio: Studio
    complaints: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    """Words of console errors that a test provokes, such as "404"."""

    async def watch(self) -> None:
        """Begin; before anything is opened."""
        await self.page.expose_function("complain", lambda said: self.complaints.append(said))  # noqa: PLW0108 - it wants a function of ours
        await self.page.add_init_script(_WATCH)
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(word in message.text for word in self.allowed):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.studio.base, "data:", "blob:")):
            self.complaints.append(f"request to another host: {request.url}")

    async def open(self, path: str) -> None:
        """Go to a page and wait until it has loaded what it shows."""
        await self.page.goto(self.studio.base + path)
        await self.loaded()

    async def loaded(self) -> None:
        """Wait until the page stands and nothing in it is being loaded."""
        await self.page.wait_for_selector("main h1")
        await expect(self.page.locator("main [role=status] .line")).to_have_count(0)

    def main(self) -> Locator:
        """What is not navigation."""
        return self.page.get_by_role("main")

    async def accessible(self) -> None:
        """Complain of what axe finds serious in the page as it is now."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(_axe())
        self.complaints += await self.page.evaluate(_AXE)

    async def pictures(self, name: str, prepare: Callable[[], Any] | None = None) -> None:
        """Keep pictures in dark, light and on a phone, and look for serious findings in each.

        Args:
            name: of the files.
            prepare: done again after each change of size, for what does not survive it.
        """
        PICTURES.mkdir(parents=True, exist_ok=True)
        for form, scheme, size in (("dark", "dark", WIDE), ("light", "light", WIDE), ("phone", "light", PHONE)):
            await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # literals
            await self.page.set_viewport_size(size)
            if prepare is not None:
                await prepare()
            await self.page.wait_for_timeout(120)  # a canvas is drawn a frame after its size is known
            await self.page.evaluate(_FRAMES)  # and on a busy machine a frame takes as long as it takes
            await self.accessible()
            over = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                self.complaints.append(f"{name} is {over} px wider than the window ({form})")
            await self.page.screenshot(path=PICTURES / f"{name}-{form}.png", full_page=True)
        await self.page.set_viewport_size(WIDE)


@contextlib.asynccontextmanager
async def watching(
    browser: Browser, studio: Studio, *, scheme: Literal["light", "dark"] = "light", allowed: Sequence[str] = ()
) -> AsyncIterator[Watched]:
    """A page of its own, in a browser that knows nothing yet; what it complains of in the end fails the test.

    Args:
        browser: Chromium.
        studio: what is looked at.
        scheme: of colours.
        allowed: words of complaints that belong to the test.
    """
    context = await browser.new_context(viewport=WIDE, color_scheme=scheme, locale="en-GB", timezone_id="UTC")
    looked_at = Watched(await context.new_page(), studio, allowed=list(allowed))
    try:
        await looked_at.watch()
        yield looked_at
        await looked_at.accessible()
        assert not looked_at.complaints
    finally:
        await context.close()


@cache
def _axe() -> str:
    return (ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js").read_text()
