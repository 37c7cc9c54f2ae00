"""What all pages have around them."""

from __future__ import annotations

import urllib.request

from playwright.async_api import expect

from tests.browser.watching import PHONE, Watched
from tests.fixtures.studio import Studio

PAGE = {"accept": "text/html"}


def _headers(studio: Studio, path: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(studio.base + path, headers=named), timeout=30) as answer:
        return answer.read(), {name.lower(): value for name, value in answer.headers.items()}


async def test_an_address_that_is_no_page_says_so_and_leads_back(watched: Watched) -> None:
    await watched.open("/studio/nowhere")
    await expect(watched.main()).to_contain_text("No page stands here")
    await watched.main().get_by_role("link", name="Overview").click()
    await expect(watched.page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert watched.page.url == f"{watched.studio.base}/"
    await watched.page.go_back()
    await expect(watched.main()).to_contain_text("No page stands here")


async def test_the_theme_follows_the_system_until_the_switch_is_used_and_stays(watched: Watched) -> None:
    page = watched.page
    await watched.open("/")

    async def ground() -> str:
        return str(await page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    light = await ground()
    await page.emulate_media(color_scheme="dark")
    dark = await ground()
    assert light != dark
    await page.get_by_role("button", name="Light colours").click()
    assert await ground() == light
    await watched.open("/")
    assert await ground() == light, "the choice outlives loading the page anew"


async def test_everything_in_the_navigation_is_reached_by_keyboard_on_a_phone(watched: Watched) -> None:
    page = watched.page
    await page.set_viewport_size(PHONE)
    await watched.open("/studio/nowhere")
    for key in ("Tab", "Tab", "Tab", "Enter"):  # past the skip link and the name to the menu
        await page.keyboard.press(key)
    link = page.get_by_role("navigation").get_by_role("link", name="Overview")
    await expect(link).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(link).to_be_hidden()


async def test_parts_are_packed_and_kept_for_good_and_the_shell_is_not(watched: Watched, studio: Studio) -> None:
    shell, headers = _headers(studio, "/studio/anything", **PAGE)
    assert headers["cache-control"] == "no-cache"
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    script = shell.decode().split('type="module"')[1].split('src="')[1].split('"')[0]
    plain, headers = _headers(studio, script)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["content-type"].startswith(("text/javascript", "application/javascript"))
    packed, headers = _headers(studio, script, accept_encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert len(packed) < len(plain) / 2
    await watched.open("/")
